#include <harness/manual/notes.hpp>

#include <gmock/gmock.h>

namespace devmap::manual {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

TEST(Notes, JoinTheLinesOfAParagraph) {
  EXPECT_THAT(read_notes("one\ntwo\n\n\nthree\n").paragraphs, ElementsAre("one two", "three"));
  EXPECT_THAT(read_notes("").paragraphs, IsEmpty());
}

TEST(Notes, DoNotListCommandsAgain) {
  EXPECT_THAT(read_notes("Commands:\n  show NAME\n    Show one\n\nrest").paragraphs, ElementsAre("rest"));
}

TEST(Notes, PartExitCodes) {
  const auto notes =
      read_notes("Exit codes: 0 all, 4 it cannot be told, or not, 70 lost\noutput, 128 + N by signal N.");
  EXPECT_THAT(notes.exit_codes, ElementsAre(Pair("0", "all"), Pair("4", "it cannot be told, or not"),
                                            Pair("70", "lost output"), Pair("128 + N", "by signal N")));
  EXPECT_THAT(notes.paragraphs, IsEmpty());
}

TEST(Notes, PartExamples) {
  const auto notes = read_notes(
      "before\n\nExamples:\n  tool show 'a.*'\n    Shows what\n      begins with a\n  tool\n    Lists\n\nafter");
  EXPECT_THAT(notes.examples, ElementsAre(Pair("tool show 'a.*'", "Shows what begins with a"), Pair("tool", "Lists")));
  EXPECT_THAT(notes.paragraphs, ElementsAre("before", "after"));
  EXPECT_THAT(read_notes("Examples:").examples, IsEmpty());
}

TEST(Notes, KeepSentencesAboutExitCodes) {
  const auto notes = read_notes("before\n\nEnds with 0; 1 if\nthey differ.");
  EXPECT_EQ(notes.exit_prose, "Ends with 0; 1 if they differ.");
  EXPECT_THAT(notes.paragraphs, ElementsAre("before"));
}

}  // namespace
}  // namespace devmap::manual
