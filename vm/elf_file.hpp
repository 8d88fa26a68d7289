#pragma once

#include <libelf.h>

#include <memory>

namespace devmap::vm {

struct EndElf {
  void operator()(Elf* elf) const { elf_end(elf); }
};

/// An ELF file of any class and byte order, as libelf reads it.
using ElfFile = std::unique_ptr<Elf, EndElf>;

}  // namespace devmap::vm
