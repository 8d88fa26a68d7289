#include <harness/manual/completions.hpp>

#include <harness/manual/shell_words.hpp>
#include <harness/manual/tests/sample.hpp>

#include <gmock/gmock.h>

// What shells make of these files is tested with the shells (completions).
namespace devmap::manual {
namespace {

using testing::HasSubstr;

TEST(ShellWords, AreQuoted) {
  EXPECT_EQ(quoted("it's"), R"('it'\''s')");
  EXPECT_EQ(quoted(""), "''");
  EXPECT_EQ(joined({"a", "b"}, ", "), "a, b");
  EXPECT_EQ(function_name("a-tool-b"), "_a_tool_b");
}

TEST(BashCompletion, KnowsOptionsByCommand) {
  const auto script = bash_completion(test::sample());
  EXPECT_THAT(script, HasSubstr("    ' --when') _a_tool_reply 'always never' ;;\n"));
  EXPECT_THAT(script, HasSubstr("    ' -o' | ' --output') if [[ $value == *:* ]]; then"));
  EXPECT_THAT(script, HasSubstr("_a_tool_reply \"$(_a_tool_asked 2 '.' 'list')\"\n"));
  EXPECT_THAT(script, HasSubstr("\ncomplete -F _a_tool a-tool\n"));
  EXPECT_THAT(script, HasSubstr("\"${words[@]:1:"));
  EXPECT_THAT(script, HasSubstr("\"$@\""));
}

TEST(ZshCompletion, EscapesWhatArgumentsWouldTakeForItsOwn) {
  const auto script = zsh_completion(test::sample());
  EXPECT_THAT(script, testing::StartsWith("#compdef a-tool\n"));
  EXPECT_THAT(script, HasSubstr(R"('(--when)--when=[\[always\] or never: see `tool list`]:WHEN:(always never)')"));
  EXPECT_THAT(script, HasSubstr(R"('*-o+[Where it'\''s written; '\''.'\'' is here]:FORMAT\:FILE:)"));
  EXPECT_THAT(script, HasSubstr("'*:NAME: _a_tool_asked 2 \".\" list'"));
}

TEST(FishCompletion, KnowsOptionsByCommand) {
  const auto script = fish_completion(test::sample());
  EXPECT_THAT(script, HasSubstr("-n 'not __fish_seen_subcommand_from show' -a show -d 'Show one'\n"));
  EXPECT_THAT(script, HasSubstr(" -s o -l output -r -f -a 'json: text:' -d 'Where it\\'s written; \\'.\\' is here'\n"));
  EXPECT_THAT(script,
              HasSubstr("-n '__fish_seen_subcommand_from show' -f -a '(__a_tool_asked 2 \\'.\\' \\'list\\')'\n"));
}

}  // namespace
}  // namespace devmap::manual
