#pragma once

#include <filesystem>
#include <harness/record/record.hpp>
#include <string>

namespace devmap::vm::test {

/// Makes an executable of a shell script.
void put_program(const std::filesystem::path& file, const std::string& script);

/// The beginning of a script that stands in for QEMU: it finds the guest's ports and the console among its arguments.
/// `say KIND TEXT` is what the guest's init says, `tell LINE` what the suite does; "$console" and "$root" (the root
/// image) are files.
inline constexpr const char* kFakeQemu =
    "for word; do case $word in\n"
    "  socket,id=messages,fd=*) port=${word##*=} ;;\n"
    "  socket,id=stream,fd=*) stream=${word##*=} ;;\n"
    "  file,id=console,*) console=${word#*path=} console=${console%,append=on} ;;\n"
    "esac; [ \"$before\" != -initrd ] || root=$word; before=$word; done\n"
    "say() { printf '%s %s\\n%s' \"$1\" \"${#2}\" \"$2\" >&\"$port\"; }\n"
    "tell() { printf '%s\\n' \"$1\" >&\"$stream\"; }\n";

/// What such a script does to tell a line of the suite's stream (harness/record/run_stream.hpp).
[[nodiscard]] std::string told(std::string line);
/// The record of a run in a guest of 6.1 that has no result yet.
[[nodiscard]] RunRecord empty_record();
/// Tells of a run that has one check, of this rule and the variant "once", but not of its end.
[[nodiscard]] std::string told_run_of(const std::string& rule, Verdict verdict);

}  // namespace devmap::vm::test
