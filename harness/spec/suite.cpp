#include <harness/spec/suite.hpp>

#include <harness/base/output_file.hpp>
#include <harness/record/record.hpp>
#include <harness/spec/gtest_bridge.hpp>
#include <harness/spec/options.hpp>
#include <harness/spec/preflight.hpp>
#include <harness/spec/run.hpp>
#include <harness/spec/selection.hpp>
#include <harness/spec/specification.hpp>

#include <fmt/format.h>
#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

namespace devmap {
namespace {

/// Prints what a command line asked for, all of it or with a complaint.
int answer(const std::string& program, std::string_view text) {
  const auto written = write_file("-", text);
  return written ? kExitConforms : complain(program, written.error().text(), kExitBroken);
}

/// The name of the errno that is asked for, by it or by its number (-22 and 22 alike); nothing where a text is meant as
/// a rule's id, which is in small letters.
std::optional<std::string> errno_asked_for(std::string_view text) {
  const auto digits = text.substr(text.starts_with('-') ? 1 : 0);
  int code = 0;
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), code);
  if (failed == std::errc{} && end == digits.data() + digits.size()) return errno_name(code);
  const bool name = text.size() > 1 && text.front() == 'E' &&
                    std::ranges::all_of(text, [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); });
  return name ? std::optional(std::string(text)) : std::nullopt;
}

int explain_errno_of(const std::string& program, const Registry& registry, const Options& options,
                     const std::string& name) {
  const auto known = registry.errnos();
  if (std::ranges::find(known, name) == known.end()) {
    return complain(program, no_rule_ends_in(registry, name), kExitUsage);
  }
  const auto checks = select_checks(registry, options);
  if (!checks) return complain(program, checks.error().text(), kExitUsage);
  const auto text = explain_errno(registry, *checks, errno_from_name(name));
  if (!text.empty()) return answer(program, text);
  return complain(program, fmt::format("no rule of those selected ends in {0}; see --explain {0}", name), kExitUsage);
}

/// Answers --explain.
int explain(const std::string& program, const Registry& registry, const Options& options) {
  const std::string& text = options.explained;
  if (const auto name = errno_asked_for(text)) return explain_errno_of(program, registry, options, *name);
  // Results name a check as rule/variant; both are good to ask with.
  const Rule* rule = registry.find(text.substr(0, text.find('/')));
  if (rule != nullptr) return answer(program, explain_rule(*rule));
  return complain(program, fmt::format("no rule '{}'{}", text, did_you_mean(registry, text)), kExitUsage);
}

/// What --help says of them.
std::string help_on(const std::vector<Command>& commands) {
  std::string text;
  for (const auto& command : commands) {
    text += fmt::format("{}{} {}\n    {} (see {} --help)\n", text.empty() ? "Commands:\n  " : "  ", command.name,
                        command.arguments, command.summary, command.name);
  }
  return text.empty() ? text : text + "\n";
}

}  // namespace

int suite_main(const Suite& suite, int argc, char** argv) {
  for (const auto& command : suite.commands) {
    if (argc > 1 && command.name == argv[1]) return command.main(suite.name, argc - 1, argv + 1);
  }
  // GoogleTest's flags go to GoogleTest, all others to the suite.
  std::vector<const char*> own{argv[0]};
  std::vector<char*> google_test{argv[0]};
  for (int i = 1; i < argc; ++i) {
    if (is_google_test_flag(argv[i])) {
      google_test.push_back(argv[i]);
    } else {
      own.push_back(argv[i]);
    }
  }
  const auto parsed =
      parse_options(suite.name, static_cast<int>(own.size()), own.data(), help_on(suite.commands), suite.examples);
  if (parsed.exit_code) return *parsed.exit_code;
  const Options& options = parsed.options;
  const Registry& registry = options.calibration ? suite.calibration : suite.rules;
  for (const auto& fault : registry.faults()) complain(suite.name, fault, kExitBroken);
  if (!registry.faults().empty()) return kExitBroken;

  switch (options.action) {
    case Options::Action::explain:
      return explain(suite.name, registry, options);
    case Options::Action::specification_json:
      return answer(suite.name, specification_json(registry));
    case Options::Action::specification_markdown:
      return answer(suite.name, specification_markdown(registry));
    case Options::Action::preflight: {
      const Fact fact = preflight();
      if (fact.presence == Presence::present) return answer(suite.name, fact.text + "\n");
      return complain(suite.name, fact.text, kExitNothingRan);
    }
    case Options::Action::list:
    case Options::Action::run:
      break;
  }
  const auto checks = select_checks(registry, options);
  if (!checks) return complain(suite.name, checks.error().text(), kExitUsage);
  if (options.action == Options::Action::list) {
    return answer(suite.name, list_rules(registry, *checks));
  }
  return run_checks(suite.name, registry, *checks, options, std::move(google_test));
}

}  // namespace devmap
