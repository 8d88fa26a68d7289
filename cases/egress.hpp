#pragma once

#include <cases/traffic.hpp>
#include <harness/base/kernel_version.hpp>
#include <harness/spec/registry.hpp>

#include <cstdint>
#include <vector>

// What the files of the chapter on programs in map entries share.
namespace devmap::cases {

/// The release that tells an entry's program which device received the frame, and the stable releases that do so as
/// well; before, programs that ask follow a null pointer.
inline constexpr KernelVersion kReceiverSince{.major = 6, .minor = 12};
inline const std::vector<KernelVersion> kReceiverBackports = {{6, 11, 6}, {6, 6, 59}, {6, 1, 115}, {5, 15, 170}};

/// What a program in an entry noted: how often it ran, and what it saw the last time.
struct EgressNote {
  std::uint32_t runs = 0;
  std::uint32_t ingress = 0;   ///< ingress_ifindex, where asked for
  std::uint32_t queue = 0;     ///< rx_queue_index, where asked for
  std::uint32_t egress = 0;    ///< egress_ifindex
  std::uint32_t metadata = 0;  ///< bytes
  std::uint32_t length = 0;    ///< from data to data_end, bytes
  std::int32_t result = 0;     ///< what a helper returned, where one is called
};

/// An array map for one EgressNote, and what is in it.
[[nodiscard]] Map notes_for_egress(Case& c);
[[nodiscard]] EgressNote noted(Case& c, const Map& notes);

/// Whether ingress_ifindex and rx_queue_index are read, which is fatal on some kernels.
enum class Ingress : std::uint8_t { unread, read };

/// The beginning of an egress program that notes its context. The context stays in r1; r6 points to the note.
[[nodiscard]] Assembler noting(const Map& notes, Ingress ingress = Ingress::unread);
/// Appends: the byte at this offset of the frame becomes this one. The context is expected and left in r1.
Assembler& write_byte(Assembler& code, std::int16_t offset, std::int32_t value);

[[nodiscard]] Program load_egress(Case& c, const Assembler& code);
/// Puts a device with a program into an entry.
void put_with_program(Case& c, const DevMap& map, std::uint32_t key, std::uint32_t ifindex, const Assembler& code);

/// A rule about programs in entries, in these modes of the main program.
[[nodiscard]] Rule egress_rule(Rule rule, const std::vector<Mode>& modes = {Mode::native, Mode::generic});
/// The same about live frames.
[[nodiscard]] Rule live_egress_rule(Rule rule);

/// Ports, and a map from which a main program redirects.
struct EgressBench {
  Traffic traffic;
  DevMap map;

  explicit EgressBench(Case& c, std::uint32_t ports = 1);
  /// The entry under the number of a port is the port's target with this program.
  void put(std::uint32_t port, const Assembler& code);
  /// Attaches a main program that redirects every frame to this key.
  void redirect_to(std::uint32_t key, std::uint64_t flags = 0);
  /// Where one more frame goes must be this.
  void goes(std::string_view what, const Frame& frame, const Fate& expected);
  void goes(std::string_view what, const Fate& expected) { goes(what, traffic.frame(), expected); }
  /// The events since the last call must be these.
  void raises(std::string_view native, std::string_view generic);

  Case& c;
};

// The chapter's other files.
void add_egress_context(Registry& rules);
void add_egress_verdicts(Registry& rules);
void add_egress_size(Registry& rules);
void add_egress_batches(Registry& rules);

}  // namespace devmap::cases
