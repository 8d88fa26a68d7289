#include <vm/catalogue.hpp>

#include <vm/embedded.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <algorithm>
#include <exception>
#include <set>
#include <sstream>
#include <stdexcept>
#include <toml.hpp>

namespace devmap::vm {
namespace {

using Words = std::vector<std::string>;

std::runtime_error fault_at(const toml::value& place, const std::string& what) {
  return std::runtime_error(toml::format_error(what, place, "here"));
}

/// A slip in a key must not pass for a value left out.
void only(const toml::value& table, const std::set<std::string>& keys, const std::string& of) {
  for (const auto& [key, value] : table.as_table()) {
    if (keys.contains(key)) continue;
    throw fault_at(value, "unknown key in " + of);
  }
}

std::string non_empty(const toml::value& table, const std::string& key) {
  auto text = toml::find<std::string>(table, key);
  if (text.empty()) throw fault_at(toml::find(table, key), "empty value");
  return text;
}

/// A name becomes part of a file's name.
std::string name_in(const toml::value& table, const std::string& key) {
  auto name = non_empty(table, key);
  const bool is_plain = std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-_.+").contains(c);
  });
  if (!is_plain || name.starts_with('.')) {
    throw fault_at(toml::find(table, key), "only letters, digits and -_.+ are allowed, and no point to begin with");
  }
  return name;
}

std::string one_of(const toml::value& table, const std::string& key, const Words& allowed) {
  if (!table.contains(key)) return {};
  auto word = toml::find<std::string>(table, key);
  if (std::ranges::find(allowed, word) == allowed.end()) {
    throw fault_at(toml::find(table, key), fmt::format("not one of {}", fmt::join(allowed, ", ")));
  }
  return word;
}

/// The name of an architecture; `usual` where there is none.
std::string architecture_in(const toml::value& table, const std::string& key, std::string_view usual) {
  if (!table.contains(key)) return std::string(usual);
  auto name = non_empty(table, key);
  if (architecture_named(name) == nullptr) {
    throw fault_at(toml::find(table, key), "not one of " + architecture_names());
  }
  return name;
}

/// A suite of another architecture, where the kernel runs such.
std::string suite_architecture_in(const toml::value& table, const KernelEntry& entry) {
  auto name = architecture_in(table, "suite_architecture", entry.architecture);
  if (!architecture_named(entry.architecture)->runs(*architecture_named(name))) {
    throw fault_at(toml::find(table, "suite_architecture"),
                   fmt::format("kernels for {} do not run programs for {}", entry.architecture, name));
  }
  return name;
}

/// What is the entry's own, whether or not it has packages of its own.
KernelEntry begin_entry(const toml::value& table, KernelEntry entry) {
  entry.name = name_in(table, "name");
  entry.label = table.contains("label") ? name_in(table, "label") : entry.name;
  entry.while_served = toml::find_or<bool>(table, "while_served", entry.while_served);
  entry.jit = one_of(table, "jit", {"on", "off", "harden"});
  entry.command_line = toml::find_or<std::string>(table, "command_line", "");
  return entry;
}

KernelEntry read_variation(const toml::value& table, const Catalogue& before) {
  only(table, {"name", "label", "of", "while_served", "suite_architecture", "jit", "command_line"},
       "a [[kernel]] with `of`");
  const auto* const of = before.find(toml::find<std::string>(table, "of"));
  if (of == nullptr || of->is_variation()) {
    throw fault_at(toml::find(table, "of"), "no kernel of this name before, with packages of its own");
  }
  auto entry = begin_entry(table, *of);
  entry.suite_architecture = suite_architecture_in(table, entry);
  const bool has_other_suite = entry.suite_architecture != entry.architecture;
  if (entry.jit.empty() && entry.command_line.empty() && !has_other_suite)
    throw fault_at(table, "nothing in which it differs");
  return entry;
}

KernelEntry read_entry(const toml::value& table) {
  only(table,
       {"name", "label", "series", "flavour", "architecture", "suite_architecture", "suites", "version", "while_served",
        "jit", "command_line"},
       "[[kernel]]");
  auto entry = begin_entry(table, {});
  entry.kept_as = entry.name;
  entry.series = non_empty(table, "series");
  entry.flavour = non_empty(table, "flavour");
  entry.architecture = architecture_in(table, "architecture", usual_architecture().name);
  entry.suite_architecture = suite_architecture_in(table, entry);
  entry.suites = toml::find<Words>(table, "suites");
  if (entry.suites.empty()) throw fault_at(toml::find(table, "suites"), "no suite");
  entry.version = toml::find_or<std::string>(table, "version", "");
  return entry;
}

KernelSet read_set(const toml::value& table, const Catalogue& catalogue) {
  only(table, {"name", "kernels", "architecture"}, "[[set]]");
  KernelSet set{.name = name_in(table, "name"), .kernels = {}};
  if (catalogue.find_set(set.name) != nullptr) throw fault_at(toml::find(table, "name"), "a second set of this name");
  if (table.contains("kernels")) {
    if (table.contains("architecture")) throw fault_at(table, "either `kernels` or `architecture`");
    set.kernels = toml::find<Words>(table, "kernels");
    for (const auto& name : set.kernels) {
      if (catalogue.find(name) == nullptr) {
        throw fault_at(toml::find(table, "kernels"), fmt::format("no kernel of the name '{}'", name));
      }
    }
  } else {
    const auto architecture = architecture_in(table, "architecture", "");
    const auto is_of_set = [&architecture](const KernelEntry& entry) {
      return entry.architecture == architecture && entry.suite_architecture == architecture;
    };
    for (const auto& entry : catalogue.kernels) {
      if (architecture.empty() || is_of_set(entry)) set.kernels.push_back(entry.name);
    }
  }
  if (set.kernels.empty()) throw fault_at(table, "no kernel in this set");
  return set;
}

Catalogue read_catalogue(const toml::value& document) {
  only(document, {"guest", "kernel", "set"}, "the catalogue");
  Catalogue catalogue;
  const auto& guest = toml::find(document, "guest");
  only(guest, {"transport", "modules", "parameters"}, "[guest]");
  catalogue.guest = {.transport = toml::find<Words>(guest, "transport"),
                     .modules = toml::find<Words>(guest, "modules"),
                     .parameters = toml::find_or<std::map<std::string, std::string>>(guest, "parameters", {})};
  for (const auto& table : toml::find(document, "kernel").as_array()) {
    auto entry = table.contains("of") ? read_variation(table, catalogue) : read_entry(table);
    const auto is_taken = [&entry](const KernelEntry& other) {
      return other.name == entry.name || other.label == entry.label;
    };
    if (std::ranges::any_of(catalogue.kernels, is_taken)) {
      throw fault_at(toml::find(table, "name"), "a second kernel of this name or label");
    }
    catalogue.kernels.push_back(std::move(entry));
  }
  if (!document.contains("set")) return catalogue;
  for (const auto& table : toml::find(document, "set").as_array()) {
    catalogue.sets.push_back(read_set(table, catalogue));
  }
  return catalogue;
}

/// Reads a text by `read`; what that throws becomes an error.
template <class T, class Read>
Expected<T> read_text(const std::string& text, const std::string& where, const char* what, const Read& read) {
  std::istringstream stream(text);
  try {
    return read(toml::parse(stream, where));
  } catch (const std::exception& fault) {
    return failure(what, 0, fault.what());
  }
}

}  // namespace

bool version_allows(std::string_view wanted, std::string_view package_version) {
  if (wanted.empty() || wanted == package_version) return true;
  return package_version.starts_with(wanted) && package_version.at(wanted.size()) == '-';
}

Expected<Catalogue> Catalogue::parse(const std::string& text, const std::string& where) {
  return read_text<Catalogue>(text, where, "catalogue of kernels", read_catalogue);
}

Expected<Catalogue> Catalogue::built_in() {
  return parse(std::string(embedded_catalogue()), "the catalogue that was built in");
}

const KernelEntry* Catalogue::find(const std::string& name) const {
  const auto found = std::ranges::find(kernels, name, &KernelEntry::name);
  return found == kernels.end() ? nullptr : &*found;
}

const KernelSet* Catalogue::find_set(const std::string& name) const {
  const auto found = std::ranges::find(sets, name, &KernelSet::name);
  return found == sets.end() ? nullptr : &*found;
}

Expected<std::vector<std::string>> parse_set(const std::string& text, const std::string& where) {
  return read_text<Words>(text, where, "set of kernels", [](const toml::value& document) {
    only(document, {"kernels"}, "a set");
    auto kernels = toml::find<Words>(document, "kernels");
    if (kernels.empty()) throw fault_at(toml::find(document, "kernels"), "no kernel in this set");
    return kernels;
  });
}

}  // namespace devmap::vm
