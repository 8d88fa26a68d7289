#pragma once

#include <cstddef>
#include <string_view>

/// Defines NAME, the bytes of a file as they are when the source is compiled, for the source that says so alone; the
/// path is a literal, and is sought as the assembler seeks it: absolute, or from where the compiler runs.
// The assembler puts the file between two labels, of which the second is a byte of its own.
// NOLINTBEGIN(cppcoreguidelines-macro-usage): neither a constant nor a function can name a file to the assembler
#define DEVMAP_EMBED_FILE(NAME, PATH)                                                                    \
  asm(".section .rodata\n" #NAME "_begin:\n.incbin \"" PATH "\"\n" #NAME "_end:\n.byte 0\n.previous\n"); \
  extern "C" const char NAME##_begin[];                                                                  \
  extern "C" const char NAME##_end[];                                                                    \
  static std::string_view NAME() {                                                                       \
    return {NAME##_begin, static_cast<std::size_t>(NAME##_end - NAME##_begin)};                          \
  }                                                                                                      \
  static_assert(true)
// NOLINTEND(cppcoreguidelines-macro-usage)
