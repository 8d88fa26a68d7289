#include <vm/modules.hpp>

#include <vm/files.hpp>
#include <vm/tests/packages.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace devmap::vm {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Modules : public testing::Test {
 protected:
  void put(const std::string& file, const std::string& content) {
    const auto path = directory_.path() / file;
    ASSERT_TRUE(make_directories(path.parent_path()));
    ASSERT_TRUE(write_to(path, content));
  }

  [[nodiscard]] LoadOrder order(const std::vector<std::string>& wanted) {
    return ModuleTree::scan(directory_.path()).value().load_order(wanted, already_).value();
  }

  [[nodiscard]] static std::vector<std::string> names(const LoadOrder& order) {
    std::vector<std::string> names;
    for (const auto& module : order.modules) names.push_back(module.name);
    return names;
  }

  TemporaryDirectory directory_ = TemporaryDirectory::create(testing::TempDir()).value();
  std::set<std::string> already_ = {};
};

TEST_F(Modules, HaveTheNameTheKernelGivesThem) {
  EXPECT_EQ(module_name("kernel/drivers/net/virtio-net.ko.xz"), "virtio_net");
  EXPECT_EQ(module_name("8021q.ko"), "8021q");
  EXPECT_EQ(module_name("veth.ko.zst"), "veth");
  for (const auto* const none : {"modules.dep", "veth.ko.old", "veth.konf", "veth"}) EXPECT_EQ(module_name(none), "");
}

TEST_F(Modules, SayWhatTheyNeed) {
  EXPECT_THAT(needed_modules(test::module_needing("stp,llc"), "bridge").value(), ElementsAre("stp", "llc"));
  EXPECT_THAT(needed_modules(test::module_needing("virtio-ring"), "x").value(), ElementsAre("virtio_ring"));
  EXPECT_THAT(needed_modules(test::module_needing(""), "veth").value(), IsEmpty());
}

TEST_F(Modules, OfAnyArchitectureSayWhatTheyNeed) {
  for (const auto& architecture : architectures()) {
    const auto module = test::module_needing("stp,llc", architecture);
    EXPECT_EQ(architecture_of(module), &architecture);
    EXPECT_THAT(needed_modules(module, "bridge").value(), ElementsAre("stp", "llc")) << architecture.name;
  }
}

TEST_F(Modules, ThatAreGarbageAreNamed) {
  for (const auto* const garbage : {"", "no module", "\177ELF"}) {
    const auto needed = needed_modules(garbage, "veth.ko");
    ASSERT_FALSE(needed);
    EXPECT_THAT(needed.error().text(), HasSubstr("veth.ko"));
  }
}

TEST_F(Modules, ComeAfterWhatTheyNeed) {
  put("net/bridge/bridge.ko.xz", test::compressed(test::module_needing("stp,llc")));
  put("net/802/stp.ko", test::module_needing("llc"));
  put("net/llc/llc.ko", test::module_needing(""));
  put("net/unwanted.ko", "garbage that nobody reads");
  const auto loaded = order({"bridge"});
  EXPECT_THAT(names(loaded), ElementsAre("llc", "stp", "bridge"));
  EXPECT_THAT(loaded.missing, IsEmpty());
  EXPECT_EQ(loaded.modules.back().content, test::module_needing("stp,llc")) << "decompressed";
}

TEST_F(Modules, AreLoadedOnce) {
  put("a.ko", test::module_needing("c"));
  put("b.ko", test::module_needing("c"));
  put("c.ko", test::module_needing(""));
  EXPECT_THAT(names(order({"a", "b", "a"})), ElementsAre("c", "a", "b"));
  EXPECT_THAT(names(order({"b"})), IsEmpty()) << "those of before";
}

TEST_F(Modules, ThatNeedEachOtherDoNotHangIt) {
  put("a.ko", test::module_needing("b"));
  put("b.ko", test::module_needing("a"));
  EXPECT_EQ(order({"a"}).modules.size(), 2U);
}

TEST_F(Modules, ThatAreNotThereAreReported) {
  put("a.ko", test::module_needing("gone"));
  const auto loaded = order({"a", "built-in"});
  EXPECT_THAT(names(loaded), ElementsAre("a"));
  EXPECT_THAT(loaded.missing, ElementsAre("gone", "built_in"));
}

TEST_F(Modules, OfAKernelWithoutAnyAreMissing) {
  const auto tree = ModuleTree::scan({});
  ASSERT_TRUE(tree);
  EXPECT_THAT(tree->load_order({"veth"}, already_).value().missing, ElementsAre("veth"));
}

TEST_F(Modules, InADirectoryThatIsNotThereAreAnError) {
  const auto tree = ModuleTree::scan("/nowhere");
  ASSERT_FALSE(tree);
  EXPECT_THAT(tree.error().text(), HasSubstr("/nowhere"));
}

}  // namespace
}  // namespace devmap::vm
