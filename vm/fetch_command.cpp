#include <vm/fetch_command.hpp>

#include <vm/apt.hpp>
#include <vm/cache.hpp>
#include <vm/choice.hpp>
#include <vm/command_support.hpp>
#include <vm/commands.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <algorithm>
#include <cstdio>
#include <map>
#include <optional>
#include <set>
#include <system_error>

namespace devmap::vm {
namespace {

namespace fs = std::filesystem;

std::string megabytes(unsigned long long bytes) {
  constexpr double kMegabyte = 1e6;
  return fmt::format("{:.0f} MB", static_cast<double>(bytes) / kMegabyte);
}

std::string plural(std::size_t count, const std::string& one) {
  return fmt::format("{} {}{}", count, one, count == 1 ? "" : "s");
}

/// What will be fetched of a kernel, best first.
struct Wanted {
  const KernelEntry* entry = nullptr;
  std::vector<Offer> offers = {};
};

bool is_offered_in(const Package& package, const std::vector<std::string>& suites) {
  return std::ranges::find_first_of(package.suites, suites) != package.suites.end();
}

/// An architecture's apt, and the packages of kernels that it knows of: asking takes seconds, for one as for all.
struct Source {
  Apt apt;
  Expected<std::vector<Package>> packages;
};

Expected<Wanted> find_wanted(const Source& source, const KernelEntry& entry) {
  if (!source.packages) return std::unexpected(source.packages.error());
  std::vector<Package> packages;
  std::ranges::copy_if(*source.packages, std::back_inserter(packages),
                       [&entry](const Package& package) { return is_offered_in(package, entry.suites); });
  Wanted wanted{.entry = &entry, .offers = find_offers(packages, entry.series, entry.flavour)};
  std::erase_if(wanted.offers, [&entry](const Offer& offer) { return !version_allows(entry.version, offer.version); });
  if (wanted.offers.empty()) {
    return failure(
        "kernel " + entry.name, 0,
        fmt::format("no {} of the flavour {} is offered in {}", entry.version.empty() ? entry.series : entry.version,
                    entry.flavour, fmt::join(entry.suites, ", ")));
  }
  return wanted;
}

/// Downloads the best offer that the mirror still has.
Expected<Kernel> fetch_one(const Apt& apt, const Cache& cache, const Wanted& wanted, const GuestModules& guest) {
  std::optional<Error> last;
  const auto& name = wanted.entry->name;
  for (const auto& offer : wanted.offers) {
    const auto debs = apt.download(offer, cache.downloads());
    if (!debs) {
      mention(fmt::format("{}: {} cannot be had ({})", name, offer.version, debs.error().text()));
      last = debs.error();
      continue;
    }
    auto kernel = cache.place(name, offer.version, *debs, guest,
                              [&name] { mention(fmt::format("waiting for a guest that runs {}", name)); });
    std::error_code ignored;
    // A package that could not be unpacked is none to go on from, whatever its checksum says.
    for (const auto& deb : *debs) fs::remove(deb, ignored);
    return kernel;
  }
  return std::unexpected(*last);
}

/// The suites of the entries that are for an architecture.
std::vector<std::string> suites_of(const std::vector<KernelEntry>& entries, const Architecture& architecture) {
  std::set<std::string> suites;
  for (const auto& entry : entries) {
    if (entry.architecture == architecture.name) suites.insert(entry.suites.begin(), entry.suites.end());
  }
  return {suites.begin(), suites.end()};
}

/// For each architecture of the entries, by its name.
using Sources = std::map<std::string, Source>;

Expected<Sources> set_up_sources(const Cache& cache, const std::vector<KernelEntry>& entries) {
  Sources sources;
  for (const auto& architecture : architectures()) {
    const auto suites = suites_of(entries, architecture);
    if (suites.empty()) continue;
    const bool is_usual = architecture.name == usual_architecture().name;
    const std::string name(architecture.name);
    const auto apt = Apt::set_up(cache.root() / (is_usual ? "apt" : "apt-" + name), architecture, suites);
    if (!apt) return std::unexpected(apt.error());
    // Lists of an earlier time may do where the mirror cannot be reached now.
    if (const auto updated = apt->update(); !updated) mention(updated.error().text());
    sources.emplace(name, Source{.apt = *apt, .packages = apt->packages("^linux-(image|binary|base|modules)-[0-9]")});
  }
  return sources;
}

/// The entries with packages of their own that are asked for, or whose variations are; where the newest is, all that it
/// may be one of.
Expected<std::vector<KernelEntry>> choose(const Catalogue& catalogue, const FetchOptions& options) {
  auto names = options.names;
  if (options.newest) {
    for (const auto& entry : catalogue.kernels) {
      if (entry.is_plain()) names.push_back(entry.name);
    }
  }
  if (options.all) {
    for (const auto& entry : catalogue.kernels) names.push_back(entry.name);
  }
  if (!options.set.empty()) {
    const auto set = kernels_of_set(catalogue, options.set);
    if (!set) return std::unexpected(set.error());
    // A set may have kernels that are files: there is nothing to fetch of these.
    std::ranges::copy_if(*set, std::back_inserter(names), [&catalogue](const std::string& name) {
      return catalogue.find(name) != nullptr || !name.contains('/');
    });
  }
  const auto entries = entries_named(catalogue, names);
  if (!entries) return std::unexpected(entries.error());
  std::vector<std::string> kept;
  for (const auto& entry : *entries) kept.push_back(entry.kept_as);
  return entries_named(catalogue, kept);
}

/// What is to be fetched, and whether all else that was asked for is there.
struct Plan {
  std::vector<Wanted> wanted = {};
  unsigned long long bytes = 0;
  std::set<std::string> files = {};
  bool rest_is_there = true;

  void add_download(const Offer& offer) {
    bytes += offer.bytes();
    for (const auto& package : offer.packages) files.insert(file_name_of(package));
  }
};

Plan make_plan(const Sources& sources, const Cache& cache, const std::vector<KernelEntry>& entries) {
  Plan plan;
  for (const auto& entry : entries) {
    auto found = find_wanted(sources.at(entry.architecture), entry);
    const auto cached = cache.find(entry.name);
    if (cached && (!found || found->offers.front().version == cached->version)) {
      mention(
          fmt::format("{}: {} is there{}", entry.name, cached->version, found ? "" : "; the mirror offers none now"));
    } else if (found) {
      plan.add_download(found->offers.front());
      plan.wanted.push_back(std::move(*found));
    } else if (entry.while_served) {
      mention(fmt::format("{}; passed over", found.error().text()));
    } else {
      mention(found.error().text());
      plan.rest_is_there = false;
    }
  }
  return plan;
}

/// The kernels of which one is to be fetched, best first.
Plan plan_newest(const Sources& sources, const std::vector<KernelEntry>& entries) {
  Plan plan{.rest_is_there = false};
  std::string why_none = "the catalogue has no plain kernel";
  for (const auto& entry : entries) {
    auto found = find_wanted(sources.at(entry.architecture), entry);
    if (found) {
      plan.wanted.push_back(std::move(*found));
    } else {
      why_none = found.error().text();
    }
  }
  if (plan.wanted.empty()) {
    mention(why_none);
    return plan;
  }
  std::ranges::stable_sort(plan.wanted, is_newer_choice,
                           [](const Wanted& one) -> const Offer& { return one.offers.front(); });
  plan.add_download(plan.wanted.front().offers.front());
  return plan;
}

std::string described(const Kernel& kernel) {
  return kernel.version + (kernel.modules.empty() ? ", without modules" : "");
}

}  // namespace

int fetch_kernels(const std::string& catalogue_file, const FetchOptions& options) {
  const auto catalogue = read_catalogue(catalogue_file);
  if (!catalogue) return complain(catalogue.error().text(), kExitUsage);
  auto entries = choose(*catalogue, options);
  if (!entries) return complain(entries.error().text(), kExitUsage);
  const auto cache = Cache::of_this_user();
  if (!cache) return complain(cache.error().text(), kExitBroken);
  if (options.only_missing) {
    std::erase_if(*entries, [&cache](const KernelEntry& entry) { return cache->find(entry.name).has_value(); });
    if (entries->empty()) return kExitDone;
  }
  const auto lock = cache->lock([] { mention("waiting for another that fetches kernels"); });
  if (!lock) return complain(lock.error().text(), kExitBroken);
  const auto sources = set_up_sources(*cache, *entries);
  if (!sources) return complain(sources.error().text(), kExitMissing);

  const auto plan = options.newest ? plan_newest(*sources, *entries) : make_plan(*sources, *cache, *entries);
  cache->keep_downloads(plan.files);
  if (!plan.wanted.empty()) {
    const auto kernels = options.newest ? 1 : plan.wanted.size();
    mention(fmt::format("{} to download for {}", megabytes(plan.bytes), plural(kernels, "kernel")));
  }
  bool all_there = plan.rest_is_there;
  for (const auto& one : plan.wanted) {
    const auto kernel = fetch_one(sources->at(one.entry->architecture).apt, *cache, one, catalogue->guest);
    if (kernel) {
      mention(fmt::format("{}: {}", one.entry->name, described(*kernel)));
      if (options.newest) return kExitDone;
    } else if (const auto kept = cache->find(one.entry->name)) {
      mention(fmt::format("{}: {}; {} is kept", one.entry->name, kernel.error().text(), kept->version));
    } else {
      all_there = all_there && one.entry->while_served;
      mention(fmt::format("{}: {}", one.entry->name, kernel.error().text()));
    }
  }
  return all_there ? kExitDone : kExitMissing;
}

}  // namespace devmap::vm
