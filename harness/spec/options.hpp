#pragma once

#include <harness/base/error.hpp>
#include <harness/record/format.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace devmap {

/// Part `index` (from 1) of `count` parts of the checks.
struct Shard {
  unsigned index = 1;
  unsigned count = 1;

  /// "2/3"; fails where that is no part.
  [[nodiscard]] static Expected<Shard> parse(const std::string& text);
};

/// A format and the file it goes to; "-" for standard output.
struct Output {
  Format format = Format::console;
  std::string file = {};

  /// "json:results.json".
  [[nodiscard]] static Expected<Output> parse(const std::string& text);
};

/// What a command line asks of the suite.
struct Options {
  enum class Action : std::uint8_t { run, list, explain, specification_json, specification_markdown, preflight };
  enum class Color : std::uint8_t { automatic, always, never };

  Action action = Action::run;
  /// The rule, or the errno, of --explain.
  std::string explained = {};
  std::vector<std::string> filters = {};
  std::vector<std::string> chapters = {};
  /// Names of errnos.
  std::vector<std::string> errnos = {};
  /// Files that name checks (read_check_names): those to run, those to leave out, and those to begin with, one at a
  /// time.
  std::string checks_file = {};
  std::string skip_file = {};
  std::string alone_file = {};
  Shard shard = {};
  unsigned jobs = 0;
  unsigned repeat = 1;
  bool shuffle = false;
  std::optional<std::uint32_t> seed = {};
  std::chrono::milliseconds timeout{10'000};
  /// How long races run; absent: as long as each is worth in a plain run.
  std::optional<std::chrono::milliseconds> soak = {};
  bool fail_fast = false;
  bool dangerous = false;
  bool keep = false;
  bool attach_directly = false;
  bool calibration = false;
  bool quiet = false;
  Color color = Color::automatic;
  std::vector<Output> outputs = {};
  std::string known_file = {};
  std::string kernel_label = {};
};

/// A command line that was read: what it asks for, or that it has been answered (--help, --version) or refused, with
/// the exit code to end with.
struct ParsedOptions {
  Options options = {};
  std::optional<int> exit_code = {};
};

/// Reads the command line, without GoogleTest's own flags. Help and version go to standard output, a refusal is one
/// line on standard error. `commands` are the lines of help on what else the program does, `examples` those of
/// Suite::examples.
[[nodiscard]] ParsedOptions parse_options(const std::string& program, int argc, const char* const* argv,
                                          const std::string& commands = {}, const std::string& examples = {});

}  // namespace devmap
