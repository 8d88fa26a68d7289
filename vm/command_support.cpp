#include <vm/command_support.hpp>

#include <fmt/format.h>
#include <cstdio>
#include <harness/base/file.hpp>

namespace devmap::vm {

void mention(const std::string& what) {
  fmt::print(stderr, "devmap-vm: {}\n", what);
}

int complain(const std::string& what, int code) {
  mention(what);
  return code;
}

Expected<Catalogue> read_catalogue(const std::string& file) {
  if (file.empty()) return Catalogue::built_in();
  const auto text = read_file(file);
  if (!text) return std::unexpected(text.error());
  return Catalogue::parse(*text, file);
}

}  // namespace devmap::vm
