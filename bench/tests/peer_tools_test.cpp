#include <bench/peer/tools.hpp>
#include <bench/tests/stand_in_tools.hpp>
#include <vm/process.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>

namespace devmap::bench {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing_support::StandInTools;

constexpr KernelVersion kBefore{.major = 6, .minor = 16, .patch = 12};
constexpr KernelVersion kSince{.major = 6, .minor = 17};

ToolsVersion version(std::string_view text) {
  return tools_version_in(text).value_or(ToolsVersion{});
}

TEST(ToolsVersion, IsReadFromWhatTheySay) {
  EXPECT_EQ(version("xdp-trafficgen version 1.6.3 using libbpf version 1.7.0\n").text(), "1.6.3");
  EXPECT_EQ(version("xdp-bench version 1.5 using libbpf version 1.7.0").text(), "1.5");
  EXPECT_FALSE(tools_version_in(""));
  EXPECT_FALSE(tools_version_in("Command '--version' is unknown, try 'xdp-bench help'."));
  EXPECT_FALSE(tools_version_in("xdp-bench version unknown"));
  EXPECT_FALSE(tools_version_in("busybox version 1.6.3"));
}

TEST(ToolsVersion, SaysWhichKernelsItCannotRunOn) {
  const auto old = version("xdp-bench version 1.3.1 using");
  EXPECT_THAT(why_unusable(old, kSince),
              HasSubstr("xdp-tools 1.3.1 cannot run on Linux 6.17: before 1.5.6 they need the tracepoint "
                        "xdp_redirect_map_err"));
  EXPECT_THAT(why_unusable(old, kBefore), IsEmpty());
  EXPECT_THAT(why_unusable(version("xdp-bench version 1.5.5"), kSince), testing::Not(IsEmpty()));
  EXPECT_THAT(why_unusable(version("xdp-bench version 1.5.6"), kSince), IsEmpty());
  EXPECT_THAT(why_unusable(version("xdp-bench version 1.6.3"), {.major = 7, .minor = 3}), IsEmpty());
}

TEST(XdpTools, AreFoundInADirectoryAndInATreeOfPackages) {
  for (const auto* const where : {"", "usr/sbin/", "sbin/"}) {
    const StandInTools tools;
    tools.put_tool(where + std::string("xdp-trafficgen"), "1.6.3", "exit 70\n");
    tools.put_tool(where + std::string("xdp-bench"), "1.6.3", "echo forwards \"$@\"\n");
    const auto found = XdpTools::below(tools.directory());
    ASSERT_TRUE(found.has_value()) << found.error().text();
    EXPECT_EQ(found->version().text(), "1.6.3");
    EXPECT_EQ(vm::run(found->bench({"redirect-map", "a b"})).value().out, "forwards redirect-map a b\n");
  }
}

TEST(XdpTools, RunByTheLoaderOfTheirTree) {
  const StandInTools tools;
  const std::string libraries = "usr/lib/some-machine";
  tools.put_tool("usr/sbin/xdp-trafficgen", "1.6.3", "");
  tools.put_tool("usr/sbin/xdp-bench", "1.6.3", "");
  tools.put(libraries + "/libc.so.6", "");
  tools.put(libraries + "/bpf/object.o", "");
  tools.put(libraries + "/ld-linux.so.2", "[ \"$1\" = --library-path ] && shift 2 && exec \"$@\"\n");
  // Another, without a C library beside it.
  tools.put("usr/lib64/ld-linux.so.2", "exit 1\n");
  const auto found = XdpTools::below(tools.directory());
  ASSERT_TRUE(found.has_value()) << found.error().text();
  const auto invocation = found->trafficgen({"udp", "t0"});
  const auto path = [&](const std::string& name) { return (tools.directory() / name).string(); };
  EXPECT_EQ(invocation.program, path(libraries + "/ld-linux.so.2"));
  EXPECT_THAT(invocation.arguments,
              ElementsAre("--library-path", path(libraries), path("usr/sbin/xdp-trafficgen"), "udp", "t0"));
  EXPECT_THAT(invocation.environment,
              testing::Contains(std::pair<std::string, std::string>("LIBXDP_OBJECT_PATH", path(libraries + "/bpf"))));
}

TEST(XdpTools, AreRefusedWithAReason) {
  const StandInTools tools;
  const auto why = [&](const KernelVersion& kernel) {
    const auto found = find_xdp_tools(tools.directory(), kernel);
    return found ? std::string() : found.error().context;
  };
  EXPECT_THAT(why(kSince), HasSubstr("there is no xdp-trafficgen in " + tools.directory().string()));
  tools.put_tool("xdp-trafficgen", "1.3.1", "");
  EXPECT_THAT(why(kSince), HasSubstr("there is no xdp-bench"));
  tools.put_tool("xdp-bench", "1.3.1", "");
  EXPECT_EQ(why(kBefore), "");
  EXPECT_THAT(why(kSince), HasSubstr("xdp-tools 1.3.1 cannot run on Linux 6.17"));
  EXPECT_THAT(why(kSince), HasSubstr("scripts/fetch-xdp-tools"));
  tools.put("xdp-trafficgen", "echo 'no such library' >&2\necho 'and more' >&2\nexit 127\n");
  EXPECT_THAT(why(kBefore), HasSubstr("xdp-trafficgen does not tell its version: no such library"));
  EXPECT_EQ(std::ranges::count(why(kBefore), '\n'), 0);
}

}  // namespace
}  // namespace devmap::bench
