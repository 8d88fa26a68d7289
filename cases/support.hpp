#pragma once

#include <harness/base/kernel_version.hpp>
#include <harness/bpf/assembler.hpp>
#include <harness/bpf/program.hpp>
#include <harness/spec/case.hpp>

#include <cstdint>
#include <optional>
#include <vector>

// What several chapters share.
namespace devmap::cases {

// The map that most checks use: a few slots, one of them taken.
inline constexpr std::uint32_t kEntries = 4;
inline constexpr std::uint32_t kPresent = 1;
inline constexpr std::uint32_t kMissing = 2;

inline constexpr KernelVersion kProgramsInEntriesSince{.major = 5, .minor = 8};
inline constexpr KernelVersion kBroadcastSince{.major = 5, .minor = 14};
/// The release in which XDP_REDIRECT without a helper fails with EBADRQC.
inline constexpr KernelVersion kBareRedirectSince{.major = 5, .minor = 13};
/// The release from which no redirect is left over from another poll or test run, and the stable releases that
/// forget what was left before every run of a program.
inline constexpr KernelVersion kFreshStateSince{.major = 6, .minor = 11};
inline const std::vector<KernelVersion> kFreshStateBackports = {{5, 15, 181}, {6, 1, 136}, {6, 6, 88}};

/// A map of kEntries with an element for lo under kPresent and none elsewhere.
[[nodiscard]] DevMap map_with_entry(Case& c);

/// The element under a key, or nothing where the map has none (ENOENT); to be compared, not itself under test.
[[nodiscard]] std::optional<Element> element(Case& c, const DevMap& map, std::uint32_t key);

/// The element under a key must be this one; std::nullopt: there must be none.
void has(Case& c, const DevMap& map, std::uint32_t key, std::optional<Element> stated);

[[nodiscard]] std::uint32_t id_of(Case& c, const Map& map);
[[nodiscard]] std::uint32_t id_of(Case& c, const Program& program);

/// A load that is to be judged; to load a program as a set-up step, there is Case::program.
[[nodiscard]] Reply<Program> load(Case& c, const Assembler& instructions, const ProgramSpec& spec = {});

/// A main program: it redirects every frame to key 0 of this map.
[[nodiscard]] Assembler redirecting(const Map& map);
/// A main program that returns what bpf_redirect_map returns.
[[nodiscard]] Program redirecting_program(Case& c, const Map& map, std::uint64_t key, std::uint64_t flags);
/// An XDP program that returns XDP_PASS.
[[nodiscard]] Program passing_program(Case& c, const ProgramSpec& spec = {});
/// A map for number_the_frame.
[[nodiscard]] Map frame_counter(Case& c);
/// Appends: the number of the frame, from 0, into r7, and the context from r1 into r6. Uses r8 and r9. The frames must
/// not come on several processors at once.
Assembler& number_the_frame(Assembler& code, const Map& counter);
/// What a program returns for one frame of a plain test run.
[[nodiscard]] std::uint32_t returned_by(Case& c, const Program& program);
/// A program of any type that looks key 0 of this map up, and returns 0.
[[nodiscard]] Assembler looking_up(const Map& map);

/// The ifindex of a device that programs can be attached to in this mode: loopback for generic, and as it cannot do
/// native, one end of a new veth pair that is down.
[[nodiscard]] std::uint32_t device_for(Case& c, Mode mode);

/// Waits until the kernel has taken note of a device's carrier: its queueing discipline loses every frame before
/// (net/core/link_watch.c).
void await_carrier(Case& c, std::uint32_t ifindex);

}  // namespace devmap::cases
