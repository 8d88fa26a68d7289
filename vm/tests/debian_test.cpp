#include <vm/debian.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <compare>
#include <string>
#include <vector>

namespace devmap::vm {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(DebianVersions, AreOrderedAsByDpkg) {
  // Each is after those before it.
  const char* const kAscending[] = {"5.10.262-1",        "6.1.9-1",        "6.1.170-3",
                                    "6.1.176-1~deb11u1", "6.1.176-1",      "6.12.9-1",
                                    "6.12.90-1~bpo12+1", "6.12.90-1",      "6.12.90-2~bpo12+1",
                                    "6.12.90-2",         "6.12.115-1",     "6.12.115-2~deb12u1",
                                    "6.12.115-2",        "7.3~rc7-1~exp1", "7.3-1",
                                    "7.3.4-1~bpo13+1",   "1:1.0-1"};
  for (const auto* const* one = std::begin(kAscending); one != std::end(kAscending); ++one) {
    for (const auto* const* other = std::begin(kAscending); other != std::end(kAscending); ++other) {
      EXPECT_EQ(compare_versions(*one, *other), one <=> other) << *one << " " << *other;
    }
  }
}

TEST(DebianVersions, AreEqualWhereLeadingZerosAloneDiffer) {
  EXPECT_EQ(compare_versions("6.01-1", "6.1-1"), std::strong_ordering::equal);
  EXPECT_EQ(compare_versions("0:6.1-1", "6.1-1"), std::strong_ordering::equal);
  EXPECT_EQ(compare_versions("6.1", "6.1-0"), std::strong_ordering::equal);
}

constexpr const char* kStanzas =
    "# from the installer\n"
    "Types: deb deb-src\n"
    "URIs: http://mirror.example/debian\n"
    "Suites: bookworm\n"
    "  bookworm-updates\n"
    "Components: main\n"
    "Signed-By: /usr/share/keyrings/some.gpg\n"
    "\n"
    "types: deb\n"
    "uris: http://security.example/debian-security\n"
    "suites: bookworm-security\n"
    "components: main\n";

TEST(Mirrors, AreReadFromStanzas) {
  const auto mirrors = find_mirrors({}, {kStanzas});
  EXPECT_EQ(mirrors.main, "http://mirror.example/debian");
  EXPECT_EQ(mirrors.security, "http://security.example/debian-security");
  EXPECT_EQ(mirrors.signed_by, "/usr/share/keyrings/some.gpg");
}

TEST(Mirrors, AreReadFromLines) {
  const auto mirrors =
      find_mirrors({"# deb http://old.example/debian bookworm main\n"
                    "deb-src http://source.example/debian bookworm main\n"
                    "deb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian bookworm main contrib\n"
                    "deb [ trusted=no ] http://security.example/debian-security bookworm-security main\n"},
                   {});
  EXPECT_EQ(mirrors.main, "http://mirror.example/debian");
  EXPECT_EQ(mirrors.security, "http://security.example/debian-security");
  EXPECT_EQ(mirrors.signed_by, "/k.gpg");
}

TEST(Mirrors, AreNoSourcesOfOthers) {
  const auto mirrors = find_mirrors({"deb http://else.example/apt nodistro main\ndeb http://ppa.example noble main\n"},
                                    {"Types: deb\nURIs: http://off.example/debian\nSuites: sid\nEnabled: no\n"});
  EXPECT_EQ(mirrors.main, "");
  EXPECT_EQ(mirrors.security, "");
}

TEST(Mirrors, HaveNoKeyThatIsWrittenOutInTheSource) {
  const auto mirrors = find_mirrors({}, {"Types: deb\nURIs: http://m.example/debian\nSuites: trixie\nSigned-By:\n"
                                         " -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n"});
  EXPECT_EQ(mirrors.main, "http://m.example/debian");
  EXPECT_EQ(mirrors.signed_by, "");
}

TEST(Sources, AreThoseOfTheSuitesWhoseMirrorIsKnown) {
  EXPECT_EQ(sources_for({.main = "http://m.example/debian", .signed_by = "/k.gpg"}, {"trixie", "trixie-security"}),
            "deb [check-valid-until=no signed-by=/k.gpg] http://m.example/debian trixie main\n");
  EXPECT_EQ(sources_for({.security = "http://s.example/d"}, {"trixie", "trixie-security"}),
            "deb [check-valid-until=no] http://s.example/d trixie-security main\n");
  EXPECT_EQ(sources_for({}, {"trixie"}), "");
}

TEST(Packages, AreReadFromWhatAptShows) {
  EXPECT_THAT(
      parse_packages("Package: linux-image-6.1.0-56-cloud-amd64\nSource: x\nVersion: 6.1.192-2\nSize: 26713492\n"
                     "Description: a\n Package: no\n\nPackage: b\nVersion: 1\n"),
      ElementsAre(Package{"linux-image-6.1.0-56-cloud-amd64", "6.1.192-2", 26713492, {}}, Package{"b", "1", 0, {}}));
  EXPECT_THAT(parse_packages(""), IsEmpty());
}

TEST(Packages, AreOfferedInSuites) {
  std::vector<Package> packages = {{"a", "1", 0, {}}, {"a", "2", 0, {}}, {"b", "1", 0, {"old"}}};
  add_suites(packages,
             " a | 1 | http://mirror.example/debian trixie/main amd64 Packages\n"
             "         a |          1 | http://mirror.example/debian-security trixie-security/main amd64 Packages\n"
             "a | 2 | http://mirror.example/debian sid/main amd64 Packages\nnonsense\n");
  EXPECT_THAT(packages[0].suites, ElementsAre("trixie", "trixie-security"));
  EXPECT_THAT(packages[1].suites, ElementsAre("sid"));
  EXPECT_THAT(packages[2].suites, IsEmpty());
}

constexpr unsigned long long kImageSize = 30'000'000;

TEST(Offers, AreTheKernelsOfASeriesNewestFirst) {
  const std::vector<Package> packages = {
      {"linux-image-6.12.94+deb13-cloud-amd64", "6.12.94-1", kImageSize, {}},
      {"linux-image-6.12.117+deb13-cloud-amd64", "6.12.117-1", kImageSize, {}},
      {"linux-image-6.12.117+deb13-cloud-amd64-unsigned", "6.12.117-1", kImageSize, {}},
      {"linux-image-6.12.117+deb13-cloud-amd64-dbg", "6.12.117-1", kImageSize, {}},
      {"linux-image-6.12.117+deb13-rt-amd64", "6.12.117-1", kImageSize, {}},
      {"linux-image-6.1.0-56-cloud-amd64", "6.1.192-2", kImageSize, {}},
      {"linux-headers-6.12.117+deb13-cloud-amd64", "6.12.117-1", kImageSize, {}},
      {"linux-image-6.12-cloud-amd64", "6.12.117-1", 1500, {}},
  };
  const auto offers = find_offers(packages, "6.12", "cloud-amd64");
  ASSERT_EQ(offers.size(), 2U);
  EXPECT_EQ(offers[0].version, "6.12.117-1");
  EXPECT_EQ(offers[0].build, "6.12.117+deb13-cloud-amd64");
  EXPECT_TRUE(offers[0].has_modules);
  EXPECT_THAT(offers[0].packages, ElementsAre(packages[1]));
  EXPECT_EQ(offers[0].bytes(), kImageSize);
  EXPECT_EQ(offers[1].version, "6.12.94-1");
  EXPECT_EQ(find_offers(packages, "6.1", "cloud-amd64").at(0).version, "6.1.192-2");
  EXPECT_THAT(find_offers(packages, "6.2", "cloud-amd64"), IsEmpty());
}

TEST(Offers, OfSplitPackagesHaveModulesWhereThoseAreStillThere) {
  const std::vector<Package> packages = {
      {"linux-image-7.1.13+deb13-cloud-amd64", "7.1.13-1", 1500, {}},
      {"linux-binary-7.1.13+deb13-cloud-amd64", "7.1.13-1", kImageSize, {}},
      {"linux-image-7.1.14+deb13-cloud-amd64", "7.1.14-1", 1500, {}},
      {"linux-binary-7.1.14+deb13-cloud-amd64", "7.1.14-1", kImageSize, {}},
      {"linux-modules-7.1.14+deb13-cloud-amd64", "7.1.14-1", kImageSize, {}},
      {"linux-image-7.1.15+deb13-cloud-amd64", "7.1.15-1", 1500, {}},
  };
  const auto offers = find_offers(packages, "7.1", "cloud-amd64");
  ASSERT_EQ(offers.size(), 2U) << "7.1.15 has no kernel";
  EXPECT_THAT(offers[0].packages, ElementsAre(packages[3], packages[4]));
  EXPECT_TRUE(offers[0].has_modules);
  EXPECT_THAT(offers[1].packages, ElementsAre(packages[1]));
  EXPECT_FALSE(offers[1].has_modules);
}

TEST(Offers, OfASeriesHaveItsReleaseCandidate) {
  const std::vector<Package> packages = {
      {"linux-image-7.3-cloud-amd64", "7.3~rc7-1~exp1", 1500, {}},
      {"linux-binary-7.3-cloud-amd64", "7.3~rc7-1~exp1", kImageSize, {}},
      {"linux-modules-7.3-cloud-amd64", "7.3~rc7-1~exp1", kImageSize, {}},
      {"linux-image-7.30-cloud-amd64", "7.30-1", kImageSize, {}},
      {"linux-image-6.12-cloud-amd64", "6.12.117-1", 1500, {}},
  };
  const auto offers = find_offers(packages, "7.3", "cloud-amd64");
  ASSERT_EQ(offers.size(), 1U);
  EXPECT_EQ(offers[0].version, "7.3~rc7-1~exp1");
  EXPECT_THAT(find_offers(packages, "6.12", "cloud-amd64"), IsEmpty()) << "it only leads to another package";
}

TEST(Offers, OfTheNewestKernelHaveModulesBeforeAllAndAreReleasedBeforeAllElse) {
  const Offer release{.version = "7.3.4-1", .has_modules = true};
  const Offer earlier{.version = "7.2.13-1", .has_modules = true};
  const Offer candidate{.version = "7.4~rc2-1~exp1", .has_modules = true};
  const Offer without_modules{.version = "7.5.1-1"};
  std::vector<Offer> offers = {without_modules, earlier, candidate, release};
  std::ranges::stable_sort(offers, is_newer_choice);
  std::vector<std::string> versions;
  for (const auto& offer : offers) versions.push_back(offer.version);
  EXPECT_THAT(versions, ElementsAre("7.3.4-1", "7.2.13-1", "7.4~rc2-1~exp1", "7.5.1-1"));
  EXPECT_FALSE(is_newer_choice(release, release));
}

}  // namespace
}  // namespace devmap::vm
