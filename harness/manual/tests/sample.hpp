#pragma once

#include <harness/manual/command_line.hpp>

namespace devmap::manual::test {

/// A program with a command, options of every kind, and texts with characters that are special to roff and to shells.
inline CommandLine sample() {
  const Option format{.names = {"-o", "--output"},
                      .value = "FORMAT:FILE",
                      .description = "Where it's written; '.' is here",
                      .group = "What to print",
                      .repeatable = true,
                      .values = {.words = {"json:", "text:"}, .files = true}};
  const Option when{.names = {"--when"},
                    .value = "WHEN",
                    .description = "[always] or never: see `tool list`",
                    .group = "What to print",
                    .values = {.words = {"always", "never"}}};
  const Option name{.value = "NAME",
                    .description = "What is shown",
                    .group = "Positionals",
                    .required = true,
                    .repeatable = true,
                    .values = {.asked = {"list"}, .up_to = ".", .headed = true}};
  return {
      .name = "a-tool",
      .summary = "Shows things.",
      .notes =
          "Commands:\n  show NAME\n\nIt goes on\nhere.\n\nExit codes: 0 all, 1 some, or none, 128 + N by signal N.\n\n"
          "Examples:\n  a-tool --when always\n    Shows all\n      of it",
      .options = {{.names = {"--help"}, .description = "Print this", .group = "Options"}, format, when},
      .commands = {{.name = "show",
                    .summary = "Show one",
                    .notes = "Ends with 0.\n\nExamples:\n  a-tool show 'x.y'\n    Shows x.y",
                    .options = {name}}}};
}

}  // namespace devmap::manual::test
