// README.md against what it speaks of: its code against the files that are built and run, its claims against the rules.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <boost/process.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace devmap::examples {
namespace {

namespace files = std::filesystem;
namespace process = boost::process;

const files::path kFolder = DEVMAP_EXAMPLES_FOLDER;

std::string content(const files::path& file) {
  std::ifstream stream(file);
  if (!stream) throw std::runtime_error("cannot read " + file.string());
  return {std::istreambuf_iterator<char>(stream), {}};
}

struct Line {
  std::size_t number;
  std::string text;
  bool in_code_block;
};

std::vector<Line> tutorial() {
  std::ifstream stream(kFolder / "README.md");
  std::vector<Line> lines;
  bool in_code_block = false;
  for (std::string text; std::getline(stream, text);) {
    const bool fence = text.starts_with("```");
    if (fence) in_code_block = !in_code_block;
    lines.push_back({lines.size() + 1, text, in_code_block || fence});
  }
  return lines;
}

/// The text of each fenced block, by the line it starts at.
std::map<std::size_t, std::string> code_blocks() {
  std::map<std::size_t, std::string> blocks;
  std::string* block = nullptr;
  for (const auto& line : tutorial()) {
    if (line.text.starts_with("```")) {
      block = block == nullptr ? &blocks[line.number] : nullptr;
    } else if (block != nullptr) {
      *block += line.text + '\n';
    }
  }
  return blocks;
}

/// What makes a claim of its own: the items of lists, and the rows of tables below their heading. Each as one line.
std::vector<Line> claims() {
  std::vector<Line> found;
  bool in_item = false;
  bool below_heading = false;
  for (const auto& line : tutorial()) {
    if (line.in_code_block) continue;
    const bool item = line.text.starts_with("- ");
    const bool row = line.text.starts_with("|");
    if (item || (row && below_heading)) {
      found.push_back(line);
    } else if (in_item && line.text.starts_with("  ")) {
      found.back().text += line.text;
    }
    in_item = item || (in_item && line.text.starts_with("  "));
    below_heading = row && (below_heading || line.text.starts_with("|-"));
  }
  return found;
}

/// Ids of rules and numbers of the catalogue, which stand between backticks.
std::vector<std::string> names_in(const std::string& text, const std::regex& form) {
  std::vector<std::string> names;
  for (std::sregex_iterator next(text.begin(), text.end(), form), end; next != end; ++next) {
    names.push_back((*next)[1]);
  }
  return names;
}

const std::regex kAnyName("`([a-z]+\\.[a-z0-9-]+|[A-Z]+-[0-9]{2})`");
const std::regex kCatalogueNumber("`([A-Z]+-[0-9]{2})`");

/// What devmap-conformance says it checks.
class Specification {
 public:
  Specification() {
    process::ipstream out;
    process::child child(process::exe = DEVMAP_CONFORMANCE, process::args = {"--spec", "json"}, process::std_out > out);
    const auto specification = nlohmann::json::parse(out);
    child.wait();
    for (const auto& rule : specification.at("rules")) {
      const std::string id = rule.at("id");
      ids_.insert(id);
      chapters_.insert(id.substr(0, id.find('.')));
      for (const auto& number : rule.value("catalogue", nlohmann::json::array())) {
        by_number_[number].push_back(id);
      }
    }
  }

  /// Whether the name reads as a rule's id, and not as that of a file or a function.
  [[nodiscard]] bool reads_as_id(const std::string& name) const {
    return name.find('-') != std::string::npos || chapters_.contains(name.substr(0, name.find('.')));
  }
  [[nodiscard]] bool has(const std::string& id) const { return ids_.contains(id); }
  /// The ids of the rules with a number of the catalogue.
  [[nodiscard]] std::string with_number(const std::string& number) const {
    const auto found = by_number_.find(number);
    if (found == by_number_.end()) return {};
    std::string text;
    for (const auto& id : found->second) text += (text.empty() ? "" : ", ") + id;
    return text;
  }

 private:
  std::set<std::string> ids_;
  std::set<std::string> chapters_;
  std::map<std::string, std::vector<std::string>> by_number_;
};

TEST(Tutorial, ShowsOnlyCodeThatIsBuiltAndRun) {
  std::vector<std::string> sources;
  for (const auto& folder : {kFolder, kFolder / "snippets"}) {
    for (const auto& entry : files::directory_iterator(folder)) {
      if (entry.is_regular_file() && entry.path().filename() != "README.md") sources.push_back(content(entry.path()));
    }
  }
  const auto blocks = code_blocks();
  EXPECT_FALSE(blocks.empty());
  for (const auto& [line, block] : blocks) {
    const auto holds_block = [&block](const std::string& source) { return ('\n' + source).contains('\n' + block); };
    EXPECT_TRUE(std::ranges::any_of(sources, holds_block)) << "README.md:" << line << ": no file has these lines:\n"
                                                           << block;
  }
}

TEST(Tutorial, NamesRulesThatExist) {
  const Specification specification;
  for (const auto& line : tutorial()) {
    static const std::regex id("`([a-z]+\\.[a-z0-9-]+)`");
    if (line.in_code_block) continue;
    for (const auto& name : names_in(line.text, id)) {
      if (!specification.reads_as_id(name)) continue;
      EXPECT_TRUE(specification.has(name)) << "README.md:" << line.number << ": there is no rule " << name;
    }
  }
}

TEST(Tutorial, NamesNoCatalogueNumberThatIsARuleByNow) {
  const Specification specification;
  for (const auto& line : tutorial()) {
    for (const auto& number : names_in(line.text, kCatalogueNumber)) {
      const auto ids = specification.with_number(number);
      EXPECT_TRUE(ids.empty()) << "README.md:" << line.number << ": " << number << " is " << ids;
    }
  }
}

TEST(Tutorial, LinksEveryItemAndRowToARule) {
  EXPECT_FALSE(claims().empty());
  for (const auto& claim : claims()) {
    EXPECT_FALSE(names_in(claim.text, kAnyName).empty()) << "README.md:" << claim.number << ": " << claim.text;
  }
}

TEST(Tutorial, ShowsTheHelpOfTheProgram) {
  process::ipstream out;
  process::child child(process::exe = DEVMAP_EXAMPLE, process::args = {"--help"}, process::std_out > out);
  const std::string help(std::istreambuf_iterator<char>(out), {});
  child.wait();
  EXPECT_EQ(child.exit_code(), 0);
  EXPECT_EQ(help, content(kFolder / "usage.txt"));
}

TEST(Tutorial, BuildsACopyOfTheExample) {
  std::string pattern = (files::temp_directory_path() / "devmap-example-XXXXXX").string();
  ASSERT_NE(mkdtemp(pattern.data()), nullptr);
  const files::path copy = pattern;
  for (const char* name :
       {"xdp_redirect_devmap.cpp", "xdp_redirect_devmap.h", "xdp_redirect_devmap.bpf.c", "build.sh"}) {
    files::copy_file(kFolder / name, copy / name);
  }
  // The compiler and bpftool of this build, under the names that the script uses.
  files::create_directory(copy / "bin");
  files::create_symlink(DEVMAP_CLANG, copy / "bin/clang");
  files::create_symlink(DEVMAP_BPFTOOL, copy / "bin/bpftool");
  process::environment environment = boost::this_process::environment();
  environment["PATH"] = (copy / "bin").string() + ':' + environment["PATH"].to_string();
  EXPECT_EQ(process::system("/bin/sh build.sh", environment, process::start_dir = copy.string()), 0);
  EXPECT_EQ(process::system((copy / "xdp_redirect_devmap").string(), "--help", process::std_out > process::null), 0);
  files::remove_all(copy);
}

}  // namespace
}  // namespace devmap::examples
