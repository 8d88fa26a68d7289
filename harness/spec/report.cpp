#include <harness/spec/report.hpp>

#include <fmt/format.h>
#include <algorithm>
#include <cstring>
#include <harness/record/missing.hpp>
#include <nlohmann/json.hpp>
#include <utility>

namespace devmap {
namespace {

using nlohmann::json;

constexpr std::pair<Role, const char*> kRoles[] = {
    {Role::act, "act"}, {Role::control, "control"}, {Role::note, "note"}, {Role::rate, "rate"}};

std::string role_name(Role role) {
  for (const auto& [value, name] : kRoles) {
    if (value == role) return name;
  }
  return {};
}

Role role_named(const std::string& name) {
  for (const auto& [value, known] : kRoles) {
    if (name == known) return value;
  }
  throw std::invalid_argument("unknown role " + name);
}

std::string line(const json& object) {
  // Bytes that are no UTF-8 are replaced: a verifier log may hold any.
  return object.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

const KnownIssue* known_issue(const Rule& rule, const std::string& variant, const KernelVersion& kernel,
                              const KnownIssues& listed) {
  const auto own = std::ranges::find_if(rule.known, [&](const KnownIssue& issue) { return issue.covers(kernel); });
  return own != rule.known.end() ? &*own : listed.find(rule.id, variant, kernel);
}

std::string with_link(const KnownIssue& issue) {
  return issue.link.empty() ? issue.reason : issue.reason + " (" + issue.link + ")";
}

Verdict verdict_of(bool expected_here, bool as_stated) {
  if (as_stated) return expected_here ? Verdict::conforms : Verdict::backported;
  return expected_here ? Verdict::deviates : Verdict::absent;
}

std::string advice_for(const Rule& rule, Verdict verdict) {
  const std::string where = rule.source.empty() ? "the kernel source" : rule.source.front();
  switch (verdict) {
    case Verdict::deviates:
      return fmt::format("compare {} with --explain {}; where the kernel is right, the rule is wrong: report it", where,
                         rule.id);
    case Verdict::splat:
      return fmt::format("read the kernel log; the check reached {}", where);
    case Verdict::crash:
    case Verdict::broken:
      return "the suite is at fault, not the kernel: report it with this output";
    case Verdict::timeout:
      return "run it alone with a longer --timeout; if it still hangs, look for a stuck task in the kernel log";
    case Verdict::absent:
      return "nothing: this kernel is outside the versions the rule is about";
    case Verdict::backported:
      return "nothing: this kernel behaves so although its version does not promise it";
    case Verdict::known:
      return "nothing: listed as known";
    case Verdict::unmet:
    case Verdict::conforms:
      return {};
  }
  return {};
}

}  // namespace

std::string evidence_line(const Evidence& evidence) {
  return line({{"evidence",
                {{"role", role_name(evidence.role)},
                 {"did", evidence.did},
                 {"expected", evidence.expected},
                 {"observed", evidence.observed},
                 {"as_expected", evidence.as_expected}}}});
}

std::string missing_line(const ChildReport::Missing& missing) {
  return line({{"missing", {{"feature", missing.feature}, {"fact", missing.fact}, {"remedy", missing.remedy}}}});
}

std::string outcome_line(const Case::Outcome& outcome) {
  json object = {{"as_stated", outcome.as_stated}};
  if (outcome.broken) object["broken"] = *outcome.broken;
  if (outcome.inexact) object["inexact"] = *outcome.inexact;
  return line({{"outcome", object}});
}

std::string kept_line(std::string_view how_to_enter) {
  return line({{"kept", how_to_enter}});
}

bool take_line(ChildReport& report, std::string_view text) {
  try {
    const auto object = json::parse(text);
    if (const auto it = object.find("evidence"); it != object.end()) {
      report.evidence.push_back({.role = role_named(it->at("role")),
                                 .did = it->at("did"),
                                 .expected = it->at("expected"),
                                 .observed = it->at("observed"),
                                 .as_expected = it->at("as_expected")});
    } else if (const auto missing = object.find("missing"); missing != object.end()) {
      report.missing = {
          .feature = missing->at("feature"), .fact = missing->at("fact"), .remedy = missing->at("remedy")};
    } else if (const auto outcome = object.find("outcome"); outcome != object.end()) {
      Case::Outcome taken{.as_stated = outcome->at("as_stated")};
      if (outcome->contains("broken")) taken.broken = outcome->at("broken").get<std::string>();
      if (outcome->contains("inexact")) taken.inexact = outcome->at("inexact").get<std::string>();
      report.outcome = std::move(taken);
    } else {
      report.kept = object.at("kept");
    }
    return true;
  } catch (const std::exception&) {  // no JSON, or not of these shapes
    return false;
  }
}

bool is_inexact(const ChildReport& report) {
  return report.outcome && report.outcome->inexact && !report.outcome->broken && !report.timed_out &&
         report.signal == 0 && report.kernel_warnings.empty();
}

bool is_to_hold(const Rule& rule, const Variant& variant, const KernelVersion& kernel, const KnownIssues& listed) {
  return rule.expected_on(kernel) && known_issue(rule, variant.name(), kernel, listed) == nullptr;
}

Result judge(const Rule& rule, const Variant& variant, const KernelVersion& kernel, ChildReport report,
             const KnownIssues& listed) {
  Result result{.rule = rule.id, .variant = variant.name(), .duration_ms = report.duration.count()};
  result.evidence = std::move(report.evidence);

  const auto deciding = [&]() -> const Evidence* {
    const auto mismatch =
        std::ranges::find_if(result.evidence, [](const Evidence& e) { return judged(e.role) && !e.as_expected; });
    const auto found =
        mismatch != result.evidence.end() ? mismatch : std::ranges::find_if(result.evidence, judged, &Evidence::role);
    return found == result.evidence.end() ? nullptr : &*found;
  }();
  if (deciding != nullptr) {
    result.expected = deciding->did + " -> " + deciding->expected;
    result.observed = deciding->observed;
  }

  // From what makes the rest meaningless to what is merely a verdict.
  if (report.timed_out) {
    result.verdict = Verdict::timeout;
    result.reason = fmt::format("no end after {:.1f} s", report.duration.count() / 1000);
  } else if (!report.kernel_warnings.empty()) {
    result.verdict = Verdict::splat;
    result.reason = fmt::format("the kernel logged: {}", fmt::join(report.kernel_warnings, "\n"));
  } else if (report.signal != 0) {
    result.verdict = Verdict::crash;
    result.reason =
        fmt::format("ended by SIG{} ({})", sigabbrev_np(report.signal) != nullptr ? sigabbrev_np(report.signal) : "?",
                    report.signal);
  } else if (report.missing) {
    result.verdict = Verdict::unmet;
    result.reason = for_want_of(report.missing->feature) + report.missing->fact;
    result.advice = report.missing->remedy;
  } else if (!report.outcome) {
    result.verdict = Verdict::crash;
    result.reason = fmt::format("ended with exit code {} before it came to a verdict", report.exit_code);
  } else if (report.outcome->broken) {
    result.verdict = Verdict::broken;
    result.reason = *report.outcome->broken;
  } else if (report.outcome->inexact) {
    result.verdict = Verdict::broken;
    result.reason = "not exact: " + *report.outcome->inexact;
    result.advice = "run it again with fewer --jobs while nothing else on the machine uses BPF maps";
  } else {
    result.verdict = verdict_of(rule.expected_on(kernel), report.outcome->as_stated);
    const KnownIssue* issue = known_issue(rule, result.variant, kernel, listed);
    if (issue != nullptr && result.verdict == Verdict::deviates) {
      result.verdict = Verdict::known;
      result.reason = with_link(*issue);
    } else if (issue != nullptr && report.outcome->as_stated) {
      result.reason = "no longer deviates, although listed as known: " + with_link(*issue);
    }
  }
  if (result.advice.empty()) result.advice = advice_for(rule, result.verdict);
  if (!report.kept.empty()) result.advice += (result.advice.empty() ? "" : "; ") + report.kept;
  return result;
}

}  // namespace devmap
