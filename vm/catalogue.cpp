#include <vm/catalogue.hpp>

#include <vm/embedded.hpp>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <set>
#include <sstream>
#include <stdexcept>
#include <toml.hpp>

namespace devmap::vm {
namespace {

using Words = std::vector<std::string>;

/// A slip in a key must not pass for a value left out.
void only(const toml::value& table, const std::set<std::string>& keys, const std::string& of) {
  for (const auto& [key, value] : table.as_table()) {
    if (keys.contains(key)) continue;
    throw std::runtime_error(toml::format_error("unknown key in " + of, value, "here"));
  }
}

std::string non_empty(const toml::value& table, const std::string& key) {
  auto text = toml::find<std::string>(table, key);
  if (text.empty()) throw std::runtime_error(toml::format_error("empty value", toml::find(table, key), "here"));
  return text;
}

KernelEntry read_entry(const toml::value& table) {
  only(table, {"name", "series", "flavour", "suites", "version"}, "[[kernel]]");
  KernelEntry entry{.name = non_empty(table, "name"),
                    .series = non_empty(table, "series"),
                    .flavour = non_empty(table, "flavour"),
                    .suites = toml::find<Words>(table, "suites"),
                    .version = toml::find_or<std::string>(table, "version", "")};
  if (entry.suites.empty()) {
    throw std::runtime_error(toml::format_error("no suite", toml::find(table, "suites"), "here"));
  }
  return entry;
}

Catalogue read_catalogue(const toml::value& document) {
  only(document, {"guest", "kernel"}, "the catalogue");
  Catalogue catalogue;
  const auto& guest = toml::find(document, "guest");
  only(guest, {"transport", "modules", "parameters"}, "[guest]");
  catalogue.guest = {.transport = toml::find<Words>(guest, "transport"),
                     .modules = toml::find<Words>(guest, "modules"),
                     .parameters = toml::find_or<std::map<std::string, std::string>>(guest, "parameters", {})};
  for (const auto& table : toml::find(document, "kernel").as_array()) {
    auto entry = read_entry(table);
    if (catalogue.find(entry.name) != nullptr) {
      throw std::runtime_error(toml::format_error("a second kernel of this name", toml::find(table, "name"), "here"));
    }
    catalogue.kernels.push_back(std::move(entry));
  }
  return catalogue;
}

}  // namespace

Expected<Catalogue> Catalogue::parse(const std::string& text, const std::string& where) {
  std::istringstream stream(text);
  try {
    return read_catalogue(toml::parse(stream, where));
  } catch (const std::exception& fault) {
    return failure("catalogue of kernels", 0, fault.what());
  }
}

Expected<Catalogue> Catalogue::built_in() {
  return parse(std::string(embedded_catalogue()), "the catalogue that was built in");
}

const KernelEntry* Catalogue::find(const std::string& name) const {
  const auto found = std::ranges::find(kernels, name, &KernelEntry::name);
  return found == kernels.end() ? nullptr : &*found;
}

}  // namespace devmap::vm
