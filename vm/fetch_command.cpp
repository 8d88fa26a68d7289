#include <vm/apt.hpp>
#include <vm/cache.hpp>
#include <vm/command_support.hpp>
#include <vm/commands.hpp>
#include <vm/files.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <algorithm>
#include <optional>
#include <set>

namespace devmap::vm {
namespace {

std::string megabytes(unsigned long long bytes) {
  constexpr double kMegabyte = 1e6;
  return fmt::format("{:.0f} MB", static_cast<double>(bytes) / kMegabyte);
}

/// What will be fetched of a kernel, best first.
struct Wanted {
  const KernelEntry* entry = nullptr;
  std::vector<Offer> offers = {};
};

Expected<Wanted> find_wanted(const Apt& apt, const KernelEntry& entry) {
  std::string series;
  for (const char c : entry.series) series += c == '.' ? std::string("\\.") : std::string(1, c);
  const auto packages = apt.packages(fmt::format("^linux-(image|binary|modules)-{}[.~].*-{}$", series, entry.flavour));
  if (!packages) return std::unexpected(packages.error());
  Wanted wanted{.entry = &entry, .offers = find_offers(*packages, entry.series, entry.flavour)};
  if (!entry.version.empty()) {
    std::erase_if(wanted.offers, [&entry](const Offer& offer) { return offer.version != entry.version; });
  }
  if (wanted.offers.empty()) {
    return failure("kernel " + entry.name, 0,
                   fmt::format("the suites {} offer no {} of the flavour {}", fmt::join(entry.suites, ", "),
                               entry.version.empty() ? entry.series : entry.version, entry.flavour));
  }
  return wanted;
}

/// Downloads the best offer that the mirror still has.
Expected<Kernel> fetch_one(const Apt& apt, const Cache& cache, const Wanted& wanted, const GuestModules& guest) {
  std::optional<Error> last;
  for (const auto& offer : wanted.offers) {
    const auto scratch = TemporaryDirectory::create(cache.root());
    if (!scratch) return std::unexpected(scratch.error());
    const auto debs = apt.download(offer, scratch->path());
    if (!debs) {
      mention(fmt::format("{}: {} cannot be had ({})", wanted.entry->name, offer.version, debs.error().text()));
      last = debs.error();
      continue;
    }
    return cache.place(wanted.entry->name, offer.version, *debs, guest);
  }
  return std::unexpected(*last);
}

struct Chosen {
  std::vector<KernelEntry> entries = {};
  std::vector<std::string> unknown = {};
};

Chosen choose(const Catalogue& catalogue, const std::vector<std::string>& names) {
  if (names.empty()) return {.entries = catalogue.kernels};
  Chosen chosen;
  for (const auto& name : names) {
    const auto* const entry = catalogue.find(name);
    if (entry != nullptr) {
      chosen.entries.push_back(*entry);
    } else {
      chosen.unknown.push_back(name);
    }
  }
  return chosen;
}

std::vector<std::string> suites_of(const std::vector<KernelEntry>& entries) {
  std::set<std::string> suites;
  for (const auto& entry : entries) suites.insert(entry.suites.begin(), entry.suites.end());
  return {suites.begin(), suites.end()};
}

}  // namespace

int fetch_kernels(const std::string& catalogue_file, const std::vector<std::string>& names) {
  const auto catalogue = read_catalogue(catalogue_file);
  if (!catalogue) return complain(catalogue.error().text(), kExitUsage);
  const auto chosen = choose(*catalogue, names);
  if (!chosen.unknown.empty()) {
    return complain(fmt::format("no kernel of the name '{}'; devmap-vm kernels lists them", chosen.unknown.front()),
                    kExitUsage);
  }
  const auto cache = Cache::of_this_user();
  if (!cache) return complain(cache.error().text(), kExitBroken);
  const auto lock = cache->lock([] { mention("waiting for another that fetches kernels"); });
  if (!lock) return complain(lock.error().text(), kExitBroken);
  const auto apt = Apt::set_up(cache->root() / "apt", suites_of(chosen.entries));
  if (!apt) return complain(apt.error().text(), kExitMissing);
  // Lists of an earlier time may do where the mirror cannot be reached now.
  if (const auto updated = apt->update(); !updated) mention(updated.error().text());

  bool all_there = true;
  std::vector<Wanted> wanted;
  unsigned long long bytes = 0;
  for (const auto& entry : chosen.entries) {
    auto found = find_wanted(*apt, entry);
    if (!found) {
      all_there = false;
      mention(found.error().text());
      continue;
    }
    const auto cached = cache->find(entry.name);
    if (cached && cached->version == found->offers.front().version) {
      mention(fmt::format("{}: {} is there", entry.name, cached->version));
      continue;
    }
    bytes += found->offers.front().bytes();
    wanted.push_back(std::move(*found));
  }
  if (!wanted.empty()) mention(fmt::format("{} to download for {} kernels", megabytes(bytes), wanted.size()));
  for (const auto& one : wanted) {
    const auto kernel = fetch_one(*apt, *cache, one, catalogue->guest);
    if (kernel) {
      mention(fmt::format("{}: {}{}", one.entry->name, kernel->version,
                          kernel->modules.empty() ? ", without modules" : ""));
    } else {
      all_there = false;
      mention(fmt::format("{}: {}", one.entry->name, kernel.error().text()));
    }
  }
  return all_there ? kExitDone : kExitMissing;
}

}  // namespace devmap::vm
