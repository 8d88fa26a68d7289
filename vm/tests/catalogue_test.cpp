#include <vm/catalogue.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace devmap::vm {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kGuest = "[guest]\ntransport = [\"virtio_pci\"]\nmodules = [\"veth\"]\n";

std::string with_kernel(const std::string& lines) {
  return std::string(kGuest) + "[[kernel]]\n" + lines;
}

TEST(Catalogue, ThatIsBuiltInCanBeRead) {
  const auto catalogue = Catalogue::built_in();
  ASSERT_TRUE(catalogue) << catalogue.error().text();
  for (const auto* const name : {"5.10", "6.1", "6.12"}) EXPECT_NE(catalogue->find(name), nullptr) << name;
  EXPECT_EQ(catalogue->find("2.6"), nullptr);
  EXPECT_EQ(catalogue->guest.parameters.at("bonding"), "max_bonds=0");
}

TEST(Catalogue, HasWhatItsTextSays) {
  const auto catalogue = Catalogue::parse(
      with_kernel("name = \"old\"\nseries = \"6.12\"\nflavour = \"rt-amd64\"\nsuites = [\"a\", \"b\"]\n"
                  "version = \"6.12.95-1\"\n"),
      "text");
  ASSERT_TRUE(catalogue) << catalogue.error().text();
  const auto* const entry = catalogue->find("old");
  ASSERT_NE(entry, nullptr);
  EXPECT_EQ(entry->series, "6.12");
  EXPECT_EQ(entry->flavour, "rt-amd64");
  EXPECT_THAT(entry->suites, ElementsAre("a", "b"));
  EXPECT_EQ(entry->version, "6.12.95-1");
  EXPECT_THAT(catalogue->guest.transport, ElementsAre("virtio_pci"));
}

TEST(Catalogue, WithAFaultSaysWhatAndWhere) {
  const std::string good = "name = \"n\"\nseries = \"6.12\"\nflavour = \"f\"\nsuites = [\"a\"]\n";
  const struct {
    std::string text;
    const char* words;
  } kTable[] = {
      {"[[kernel", "text"},
      {"[[kernel]]\n" + good, "guest"},
      {kGuest, "kernel"},
      {with_kernel("name = \"n\"\n"), "series"},
      {with_kernel(good + "verison = \"x\"\n"), "unknown key"},
      {with_kernel("name = \"\"\nseries = \"6.12\"\nflavour = \"f\"\nsuites = [\"a\"]\n"), "empty value"},
      {with_kernel("name = \"n\"\nseries = 6.12\nflavour = \"f\"\nsuites = [\"a\"]\n"), "string"},
      {with_kernel("name = \"n\"\nseries = \"6.12\"\nflavour = \"f\"\nsuites = []\n"), "no suite"},
      {with_kernel(good) + "[[kernel]]\n" + good, "second kernel of this name"},
  };
  for (const auto& row : kTable) {
    const auto catalogue = Catalogue::parse(row.text, "text");
    ASSERT_FALSE(catalogue) << row.text;
    EXPECT_THAT(catalogue.error().text(), HasSubstr(row.words)) << row.text;
  }
}

}  // namespace
}  // namespace devmap::vm
