#include <harness/record/by_chapter.hpp>

#include <gtest/gtest.h>

namespace devmap {
namespace {

TEST(ByChapter, KeepsTheOrderOfFirstAppearance) {
  const std::vector<Result> results = {
      {.rule = "update.a"}, {.rule = "create.a"}, {.rule = "update.b.c"}, {.rule = "x"}};
  const auto chapters = by_chapter(results);
  ASSERT_EQ(chapters.size(), 3U);
  EXPECT_EQ(chapters[0].first, "update");
  ASSERT_EQ(chapters[0].second.size(), 2U);
  EXPECT_EQ(chapters[0].second[0], &results[0]);
  EXPECT_EQ(chapters[0].second[1], &results[2]);
  EXPECT_EQ(chapters[1].first, "create");
  EXPECT_EQ(chapters[2].first, "x");
}

TEST(ByChapter, OfNoResultsIsEmpty) {
  EXPECT_TRUE(by_chapter({}).empty());
}

}  // namespace
}  // namespace devmap
