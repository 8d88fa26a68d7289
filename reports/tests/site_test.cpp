#include <reports/site.hpp>

#include <gmock/gmock.h>
#include <libxml/HTMLparser.h>

#include <filesystem>
#include <harness/base/file.hpp>
#include <memory>
#include <reports/tests/sample.hpp>
#include <set>
#include <vm/files.hpp>

namespace devmap::reports {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing_support::kHostile;
using testing_support::sample_sources;
using testing_support::sample_specification;

const char* const kFinding =
    "# Copies are *wrong*\n\nThe first paragraph.\n\n<!-- broken: create.value-size -->\n\n## Why\n\nA "
    "<b>reason</b>.\n";

class Site : public testing::Test {
 protected:
  void write(const std::vector<Source>& sources, const Specification& specification) {
    const auto matrix = Matrix::of(sources, specification);
    const std::vector<Finding> findings = {Finding::parse("copies", kFinding).value()};
    const std::vector<std::string> notes = {"a note about " + std::string(kHostile)};
    const auto written = write_site({&matrix, &findings, &notes, "https://example.org/blob/"}, directory_.path());
    ASSERT_TRUE(written.has_value()) << written.error().text();
  }

  std::string page(const std::string& name) { return read_file(directory_.path() / name).value_or("cannot be read"); }

  vm::TemporaryDirectory directory_ = vm::TemporaryDirectory::create(testing::TempDir()).value();
};

/// What a page links to and where it can be linked to, as a parser of HTML sees it.
struct Links {
  std::vector<std::string> targets;
  std::set<std::string> ids;
  std::set<std::string> elements;
};

void collect(const xmlNode* node, Links& links) {
  for (; node != nullptr; node = node->next) {
    if (node->type != XML_ELEMENT_NODE) continue;
    links.elements.insert(reinterpret_cast<const char*>(node->name));
    for (const char* name : {"href", "src", "id"}) {
      const std::unique_ptr<xmlChar, decltype(xmlFree)> value(
          xmlGetProp(const_cast<xmlNode*>(node), reinterpret_cast<const xmlChar*>(name)), xmlFree);
      if (!value) continue;
      const auto* text = reinterpret_cast<const char*>(value.get());
      if (std::string_view(name) == "id") {
        EXPECT_TRUE(links.ids.insert(text).second) << "the id " << text << " is there twice";
      } else {
        links.targets.emplace_back(text);
      }
    }
    collect(node->children, links);
  }
}

Links links_of(const std::string& html) {
  const std::unique_ptr<xmlDoc, decltype(&xmlFreeDoc)> document(
      htmlReadMemory(html.data(), static_cast<int>(html.size()), "page", "UTF-8",
                     HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_NONET),
      xmlFreeDoc);
  Links links;
  if (document) collect(xmlDocGetRootElement(document.get()), links);
  return links;
}

std::map<std::string, Links> all_pages(const std::filesystem::path& directory) {
  std::map<std::string, Links> pages;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (entry.path().extension() != ".html") continue;
    pages.emplace(std::filesystem::relative(entry.path(), directory), links_of(read_file(entry.path()).value()));
  }
  return pages;
}

TEST_F(Site, LinksToWhatIsThere) {
  write(sample_sources(), sample_specification());
  const auto pages = all_pages(directory_.path());
  EXPECT_EQ(pages.size(), 5U + 5U + 1U);
  for (const auto& [name, links] : pages) {
    EXPECT_GT(links.targets.size(), 5U) << name;
    for (const auto& target : links.targets) {
      if (target.starts_with("https://") || target.starts_with("data:")) continue;
      const auto hash = target.find('#');
      const auto file = target.substr(0, hash);
      const auto linked =
          file.empty() ? name : (std::filesystem::path(name).parent_path() / file).lexically_normal().string();
      EXPECT_TRUE(std::filesystem::exists(directory_.path() / linked)) << name << " links to " << target;
      if (hash == std::string::npos) continue;
      ASSERT_TRUE(pages.contains(linked)) << name << " links to " << target;
      EXPECT_TRUE(pages.at(linked).ids.contains(target.substr(hash + 1))) << name << " links to " << target;
    }
  }
}

TEST_F(Site, LoadsNothingFromElsewhere) {
  write(sample_sources(), sample_specification());
  for (const char* name : {"index.html", "rules/create.value-size.html"}) {
    EXPECT_THAT(page(name), Not(ContainsRegex("(src|rel=\"stylesheet\" href)=\"https?:"))) << name;
  }
  EXPECT_THAT(page("style.css"), AllOf(Not(HasSubstr("@import")), Not(HasSubstr("url("))));
  EXPECT_THAT(page("script.js"), Not(HasSubstr("fetch(")));
}

TEST_F(Site, TellsTheMatrix) {
  write(sample_sources(), sample_specification());
  const auto index = page("index.html");
  EXPECT_THAT(index, HasSubstr("<td class=a>A<td class=\"k m\">K<td class=c>C"));
  EXPECT_THAT(index, HasSubstr("5 rules about"));
  EXPECT_THAT(index, ContainsRegex("6\\.12\\.5</span><em>aarch64, RT, no JIT</em>"));
  EXPECT_THAT(index, HasSubstr("title=\"The first paragraph.\">Copies are wrong</a>"));
  EXPECT_THAT(index, HasSubstr("<b>5.10.1, 6.12.5</b>"));
  EXPECT_THAT(index, Not(HasSubstr("<em></em>")));
}

TEST_F(Site, TellsARule) {
  write(sample_sources(), sample_specification());
  const auto rule = page("rules/create.value-size.html");
  for (const char* words :
       {"A value has 4 or 8 bytes.", "since 5.8 (and from 5.4.99), until 7.0 (and from 6.18.3)",
        "kernel/bpf/devmap.c:function", "0123456789ab", "EINVAL", "veth pairs", "allocates 16 GiB",
        "the kernel counts wrongly", "href=\"https://example.org/?a=1&amp;b=2\"", "values are &lt;large&gt;",
        "The rule says otherwise", "https://example.org/blob/cases/create.cpp", "a map of 4 entries", "expected EINVAL",
        "<b>Not so on</b> 5.10.1, 6.12.5", "<b>True on</b> 6.12.5 (aarch64, RT, no JIT)", "findings/copies.html"}) {
    EXPECT_THAT(rule, HasSubstr(words));
  }
  EXPECT_THAT(page("rules/update.never-run.html"), HasSubstr("No record has a check of this rule."));
}

TEST_F(Site, TellsWhatKernelsShareOnce) {
  write(sample_sources(), sample_specification());
  const auto rule = page("rules/update.any.html");
  const auto first = rule.find("class=\"evidence\"");
  ASSERT_NE(first, std::string::npos);
  EXPECT_EQ(rule.find("class=\"evidence\"", first + 1), std::string::npos);
  EXPECT_THAT(rule, HasSubstr("conforms <span>5.10.1 to 6.12.5 (aarch64, RT, no JIT)</span>"));
}

TEST_F(Site, TellsChangesAndDocumentation) {
  write(sample_sources(), sample_specification());
  EXPECT_THAT(page("changes.html"), AllOf(HasSubstr("<td class=a>A <small>absent</small><td class=\"k m\">K"),
                                          HasSubstr("[\"create.value-size\",\"A value has 4 or 8 bytes.\",\"AKC\"]")));
  EXPECT_THAT(page("documentation.html"),
              AllOf(HasSubstr("map_devmap.rst"), HasSubstr("values are &lt;large&gt;"), HasSubstr("values are small"),
                    HasSubstr("not this, which is the rule as well"), HasSubstr("0 statements are borne out")));
}

TEST_F(Site, IsNotBrokenByHostileStrings) {
  auto sources = sample_sources();
  auto specification = sample_specification();
  auto& context = sources[1].record.context;
  for (auto* text :
       {&context.kernel_label, &context.version, &context.machine, &context.kernel_log, &context.attachment,
        &context.started, &context.config["CONFIG_VETH"], &sources[1].record.suite.version}) {
    *text = kHostile;
  }
  context.foreign_warnings = {std::string(kHostile)};
  for (auto& result : sources[1].record.results) {
    for (auto* text : {&result.variant, &result.reason, &result.advice, &result.evidence[1].did,
                       &result.evidence[1].observed, &result.evidence[1].expected}) {
      *text = kHostile;
    }
  }
  auto& rule = specification.rules[0];
  for (auto* text :
       {&rule.states, &rule.source[0], &rule.commits[0], &rule.needs[0], &rule.danger, &rule.since,
        &rule.known[0].reason, &rule.documentation[1].where, &rule.documentation[1].statement, &rule.file}) {
    *text = kHostile;
  }
  rule.known[0].link = "javascript:alert(1)";
  specification.chapters[0].title = kHostile;
  write(sources, specification);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory_.path())) {
    if (entry.path().extension() != ".html") continue;
    const auto html = read_file(entry.path()).value();
    EXPECT_THAT(html, Not(HasSubstr("<script>alert"))) << entry.path();
    EXPECT_THAT(html, Not(HasSubstr("javascript:"))) << entry.path();
    EXPECT_THAT(html, Not(ContainsRegex("title=\"[^\"]*\"'&"))) << entry.path();
  }
}

TEST_F(Site, LeadsFromARuleToWhatItShowsAndFindsItByThatsWords) {
  write(sample_sources(), sample_specification());
  const auto html = page("index.html");
  const auto row = html.substr(html.find("<tr id=create.value-size"));
  EXPECT_THAT(row.substr(0, row.find("<tr id=create.flags")),
              AllOf(HasSubstr("Copies are wrong The first paragraph."), HasSubstr("href=\"findings/copies.html\"")));
  EXPECT_THAT(row.substr(row.find("<tr id=create.flags")), Not(HasSubstr("findings/copies.html")));
}

TEST_F(Site, LeavesOutHtmlOfFindings) {
  write(sample_sources(), sample_specification());
  EXPECT_THAT(page("findings/copies.html"),
              AllOf(HasSubstr("A <!-- raw HTML omitted -->reason"), HasSubstr("<h2>Why</h2>"),
                    HasSubstr("class=\"fails\"><b>On</b> 5.10.1, 6.12.5</li>")));
}

TEST_F(Site, StaysSmallWithManyRecords) {
  const auto sources = testing_support::many_sources(60, 600);
  write(sources, testing_support::specification_of_many(600));
  EXPECT_LT(std::filesystem::file_size(directory_.path() / "index.html"), 3'000'000U);
  EXPECT_LT(std::filesystem::file_size(directory_.path() / "rules/many.rule-0.html"), 100'000U);
}

TEST_F(Site, IsNotSwampedByOneHugeResult) {
  auto sources = sample_sources();
  auto& evidence = sources[1].record.results.back().evidence;
  for (int i = 0; i < 20'000; ++i) {
    evidence.push_back({.did = "step", .expected = "0", .observed = "1", .as_expected = i % 2 == 0});
  }
  evidence.push_back({.role = Role::note, .did = std::string(10'000'000, 'x') + "\xc3\xa9"});
  write(sources, sample_specification());
  EXPECT_LT(std::filesystem::file_size(directory_.path() / "rules/update.any.html"), 200'000U);
  EXPECT_THAT(page("rules/update.any.html"), HasSubstr("more lines; the record has them all"));
}

TEST_F(Site, TellsOnlyTheFirstOfManyUnfolded) {
  auto sources = sample_sources();
  for (std::size_t i = 0; i < sources.size(); ++i) {
    sources[i].record.results.back().evidence[0].did = "a map of " + std::to_string(i);
  }
  write(sources, sample_specification());
  const auto html = page("rules/update.any.html");
  EXPECT_EQ(html.find("class=\"evidence\" open"), html.rfind("class=\"evidence\" open"));
  EXPECT_THAT(html, HasSubstr("a map of 2"));
}

TEST_F(Site, SaysWhyItCannotBeWritten) {
  const Matrix matrix;
  const std::vector<Finding> findings;
  const std::vector<std::string> notes;
  const auto written = write_site({&matrix, &findings, &notes, ""}, "/proc/nowhere");
  ASSERT_FALSE(written.has_value());
  EXPECT_THAT(written.error().text(), HasSubstr("/proc/nowhere"));
}

TEST(Finding, NamesItsRulesAndIsAbstracted) {
  const auto finding = Finding::parse("name", kFinding);
  ASSERT_TRUE(finding.has_value());
  EXPECT_EQ(finding->title, "Copies are wrong");
  EXPECT_EQ(finding->summary, "The first paragraph.");
  EXPECT_THAT(finding->broken, testing::ElementsAre("create.value-size"));
  EXPECT_THAT(finding->shown, IsEmpty());
  EXPECT_FALSE(finding->race);
}

TEST(Finding, IsAboutTheRulesThatShowIt) {
  auto finding = Finding::parse("name", kFinding).value();
  finding.shown = {"update.any"};
  EXPECT_TRUE(finding.is_about("create.value-size"));
  EXPECT_TRUE(finding.is_about("update.any"));
  EXPECT_FALSE(finding.is_about("update"));
}

TEST(Finding, IsOnKernelsThatDoNotKeepItsRules) {
  const auto sources = sample_sources();
  const auto matrix = Matrix::of(sources, sample_specification());
  auto finding = Finding::parse("name", kFinding).value();
  EXPECT_EQ(finding.on(matrix, 0), true);
  EXPECT_EQ(finding.on(matrix, 2), false);
  finding.race = true;
  EXPECT_EQ(finding.on(matrix, 2), std::nullopt);
  finding.race = false;
  finding.broken = {"update.key"};
  EXPECT_EQ(finding.on(matrix, 0), std::nullopt) << "it could not be checked";
  finding.broken = {};
  finding.shown = {"update.any"};
  EXPECT_EQ(finding.on(matrix, 0), true);
}

TEST(Finding, IsOnNoKernelOlderThanItself) {
  const auto sources = sample_sources();
  const auto matrix = Matrix::of(sources, sample_specification());
  const auto finding =
      Finding::parse("name", std::string(kFinding) + "\n<!-- from: 5.14 -->\n<!-- rank: 3 -->\n").value();
  EXPECT_EQ(finding.rank, 3);
  EXPECT_EQ(finding.on(matrix, 0), false);
  EXPECT_EQ(finding.on(matrix, 1), true);
}

TEST(Finding, ThatIsIncompleteIsRefused) {
  EXPECT_FALSE(Finding::parse("name", "").has_value());
  EXPECT_FALSE(Finding::parse("name", "# A heading\n").has_value());
  EXPECT_FALSE(Finding::parse("name", "# A heading\n\nText.\n\n<!-- broken: ../../x -->\n").has_value());
}

TEST(Findings, ThatAreBuiltInNameRulesThatThereAre) {
  const auto findings = built_in_findings();
  ASSERT_TRUE(findings.has_value()) << findings.error().text();
  const auto specification = Specification::read(DEVMAP_REPORTS_DIR "/specification.json");
  ASSERT_TRUE(specification.has_value());
  EXPECT_FALSE(findings->empty());
  for (const auto& finding : *findings) {
    EXPECT_FALSE(finding.broken.empty() && finding.shown.empty()) << finding.name;
    for (const auto* list : {&finding.broken, &finding.shown}) {
      for (const auto& id : *list) EXPECT_NE(specification->find(id), nullptr) << finding.name << ": " << id;
    }
  }
}

}  // namespace
}  // namespace devmap::reports
