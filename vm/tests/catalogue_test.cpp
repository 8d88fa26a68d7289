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

TEST(Catalogue, ThatIsBuiltInHasItsSets) {
  const auto catalogue = Catalogue::built_in();
  ASSERT_TRUE(catalogue) << catalogue.error().text();
  const auto* const quick = catalogue->find_set("quick");
  ASSERT_NE(quick, nullptr);
  EXPECT_EQ(quick->kernels.size(), 4U);
  const auto* const full = catalogue->find_set("full");
  ASSERT_NE(full, nullptr);
  EXPECT_GE(full->kernels.size(), 16U);
  for (const auto& name : full->kernels) EXPECT_EQ(catalogue->find(name)->architecture, "amd64") << name;
  for (const auto& name : quick->kernels) EXPECT_THAT(full->kernels, testing::Contains(name));
  const auto* const all = catalogue->find_set("all");
  ASSERT_NE(all, nullptr);
  EXPECT_EQ(all->kernels.size(), catalogue->kernels.size());
  EXPECT_EQ(catalogue->find_set("none"), nullptr);
}

TEST(Catalogue, ThatIsBuiltInHasKernelsThatMostMachinesRun) {
  const auto catalogue = Catalogue::built_in();
  ASSERT_TRUE(catalogue) << catalogue.error().text();
  for (const auto* const plain : {"5.10", "6.12", "7.3"}) EXPECT_TRUE(catalogue->find(plain)->is_plain()) << plain;
  for (const auto* const special : {"6.12-rt", "6.12-jit-off", "6.12-compat", "6.1-arm64"}) {
    EXPECT_FALSE(catalogue->find(special)->is_plain()) << special;
  }
}

constexpr const char* kGood = "name = \"n\"\nseries = \"6.12\"\nflavour = \"f\"\nsuites = [\"a\"]\n";

TEST(Catalogue, HasOtherWaysToRunAKernel) {
  const auto catalogue =
      Catalogue::parse(with_kernel(kGood) +
                           "architecture = \"s390x\"\nwhile_served = true\n[[kernel]]\nname = \"n-slow\"\nof = \"n\"\n"
                           "jit = \"off\"\ncommand_line = \"quiet\"\nlabel = \"slow\"\n",
                       "text");
  ASSERT_TRUE(catalogue) << catalogue.error().text();
  const auto& own = *catalogue->find("n");
  EXPECT_EQ(own.kept_as, "n");
  EXPECT_EQ(own.label, "n");
  EXPECT_FALSE(own.is_variation());
  const auto& other = *catalogue->find("n-slow");
  EXPECT_TRUE(other.is_variation());
  EXPECT_EQ(other.kept_as, "n");
  EXPECT_EQ(other.label, "slow");
  EXPECT_EQ(other.series, "6.12");
  EXPECT_EQ(other.architecture, "s390x");
  EXPECT_TRUE(other.while_served);
  EXPECT_EQ(other.jit, "off");
  EXPECT_EQ(other.command_line, "quiet");
}

TEST(Catalogue, HasSetsByNameAndByArchitecture) {
  const auto catalogue =
      Catalogue::parse(with_kernel(kGood) +
                           "[[kernel]]\nname = \"m\"\narchitecture = \"s390x\"\nseries = \"6.12\"\nflavour = \"f\"\n"
                           "suites = [\"a\"]\n[[kernel]]\nname = \"c\"\nof = \"n\"\nsuite_architecture = \"i386\"\n"
                           "[[set]]\nname = \"one\"\nkernels = [\"m\"]\n[[set]]\nname = \"here\"\n"
                           "architecture = \"amd64\"\n[[set]]\nname = \"all\"\n",
                       "text");
  ASSERT_TRUE(catalogue) << catalogue.error().text();
  EXPECT_THAT(catalogue->find_set("one")->kernels, ElementsAre("m"));
  // The suite of 32 bits is not that of the architecture.
  EXPECT_THAT(catalogue->find_set("here")->kernels, ElementsAre("n"));
  EXPECT_THAT(catalogue->find_set("all")->kernels, ElementsAre("n", "m", "c"));
}

TEST(Catalogue, ReadsASetOfTheUsers) {
  const auto set = parse_set("kernels = [\"6.1\", \"arch/x86/boot/bzImage\"]\n", "set.toml");
  ASSERT_TRUE(set) << set.error().text();
  EXPECT_THAT(*set, ElementsAre("6.1", "arch/x86/boot/bzImage"));
  for (const auto* const text : {"", "kernels = []\n", "kernels = [1]\n", "kernel = [\"6.1\"]\n", "kernels ="}) {
    EXPECT_FALSE(parse_set(text, "set.toml")) << text;
  }
  EXPECT_THAT(parse_set("kernels =", "set.toml").error().text(), HasSubstr("set.toml"));
}

TEST(Catalogue, TakesAVersionOfAKernelOrOfAPackage) {
  EXPECT_TRUE(version_allows("", "6.12.95-1"));
  EXPECT_TRUE(version_allows("6.12.95-1", "6.12.95-1"));
  EXPECT_TRUE(version_allows("6.12.95", "6.12.95-1~bpo12+1"));
  EXPECT_FALSE(version_allows("6.12.9", "6.12.95-1"));
  EXPECT_FALSE(version_allows("6.12.95-1", "6.12.95-2"));
}

TEST(Catalogue, WithAFaultSaysWhatAndWhere) {
  const std::string good = kGood;
  const std::string set = with_kernel(good) + "[[set]]\nname = \"s\"\n";
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
      {with_kernel("name = \"a/b\"\nseries = \"6.12\"\nflavour = \"f\"\nsuites = [\"a\"]\n"), "only letters"},
      {with_kernel(good + "jit = \"maybe\"\n"), "not one of on, off, harden"},
      {with_kernel("name = \"v\"\nof = \"n\"\njit = \"off\"\n"), "no kernel of this name before"},
      {with_kernel(good) + "[[kernel]]\nname = \"v\"\nof = \"n\"\n", "nothing in which it differs"},
      {with_kernel(good) + "[[kernel]]\nname = \"v\"\nof = \"n\"\nseries = \"6.1\"\n", "unknown key"},
      {set + "kernels = [\"m\"]\n", "no kernel of the name 'm'"},
      {set + "kernels = []\n", "no kernel in this set"},
      {set + "architecture = \"s390x\"\n", "no kernel in this set"},
      {set + "architecture = \"vax\"\n", "not one of amd64"},
      {with_kernel(good + "architecture = \"vax\"\n"), "not one of amd64"},
      {with_kernel(good + "suite_architecture = \"s390x\"\n"), "kernels for amd64 do not run programs for s390x"},
      {set + "kernels = [\"n\"]\narchitecture = \"amd64\"\n", "either"},
      {set + "[[set]]\nname = \"s\"\n", "second set of this name"},
  };
  for (const auto& row : kTable) {
    const auto catalogue = Catalogue::parse(row.text, "text");
    ASSERT_FALSE(catalogue) << row.text;
    EXPECT_THAT(catalogue.error().text(), HasSubstr(row.words)) << row.text;
  }
}

}  // namespace
}  // namespace devmap::vm
