#include <harness/base/file.hpp>
#include <harness/base/output_file.hpp>
#include <harness/manual/command_line.hpp>
#include <harness/manual/completions.hpp>
#include <harness/manual/man_page.hpp>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>

// devmap-manual: writes the man page of a program and its completions by shells. Used while building, not installed.
namespace devmap::manual {
namespace {

constexpr int kExitUsage = 64;
constexpr int kExitBroken = 70;

int complain(const std::string& text, int exit_code) {
  std::fprintf(stderr, "devmap-manual: %s\n", text.c_str());
  return exit_code;
}

Expected<CommandLine> read(const std::string& file) {
  const auto text = read_file(file);
  if (!text) return std::unexpected(text.error());
  auto line = parse_command_line(*text);
  if (!line) return failure(file, 0, line.error().text());
  return line;
}

/// The program, and what its commands say that read command lines of their own: these are called "PROGRAM COMMAND".
Expected<CommandLine> read_all(const std::vector<std::string>& files) {
  auto program = read(files.front());
  if (!program) return program;
  for (auto file = files.begin() + 1; file != files.end(); ++file) {
    auto command = read(*file);
    if (!command) return command;
    if (!command->name.starts_with(program->name + " ")) {
      return failure(*file, 0, "'" + command->name + "' is no command of " + program->name);
    }
    command->name.erase(0, program->name.size() + 1);
    program->commands.push_back(std::move(*command));
  }
  return program;
}

int main_of(int argc, char** argv) {
  CLI::App app("Writes the man page of a program and its completions by shells", "devmap-manual");
  std::vector<std::string> files;
  std::string directory;
  PageDetails details;
  app.add_option("file", files, "What the program, and each of its commands, prints with --help-json")->required();
  app.add_option("--directory", directory, "Where the files go")->required();
  app.add_option("--section", details.section, "Of the manual")->required();
  app.add_option("--source", details.source, "What the page's foot says: name and version")->required();
  app.add_option("--date", details.date, "Of that version")->required();
  app.add_option("--see-also", details.see_also, "Another page, as NAME(SECTION); repeatable")->allow_extra_args(false);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& answered) {
    return app.exit(answered);
  } catch (const CLI::ParseError& fault) {
    return complain(fault.what(), kExitUsage);
  }
  const auto program = read_all(files);
  if (!program) return complain(program.error().text(), kExitBroken);
  std::erase_if(details.see_also, [&](const std::string& page) { return page.starts_with(program->name + "("); });
  const std::string at = directory + "/";
  const std::vector<std::pair<std::string, std::string>> written{
      {at + program->name + "." + details.section, man_page(*program, details)},
      {at + program->name + ".bash", bash_completion(*program)},
      {at + "_" + program->name, zsh_completion(*program)},
      {at + program->name + ".fish", fish_completion(*program)}};
  for (const auto& [file, text] : written) {
    if (const auto done = write_file(file, text); !done) return complain(done.error().text(), kExitBroken);
  }
  return 0;
}

}  // namespace
}  // namespace devmap::manual

int main(int argc, char** argv) {
  try {
    return devmap::manual::main_of(argc, argv);
  } catch (const std::exception& fault) {
    return devmap::manual::complain(fault.what(), devmap::manual::kExitBroken);
  }
}
