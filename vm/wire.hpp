#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace devmap::vm::wire {

// What the guest says to the host: messages of a header line "KIND BYTES\n" and that many bytes. The last one is
// `ended`: a stream without it was cut.

enum class Kind : std::uint8_t {
  /// The guest's init is running; the kernel's release.
  hello,
  /// A line about something that did not work and may matter.
  note,
  /// Modules are loaded and the suite is being started; empty.
  started,
  /// The guest lives; empty, again and again while the suite runs.
  alive,
  /// What the suite printed.
  output,
  /// The suite was told to end because its time was up; empty.
  stopped,
  /// The suite's exit code, in decimal.
  ended,
};

[[nodiscard]] std::string_view name(Kind kind);
[[nodiscard]] std::optional<Kind> kind_named(std::string_view name);

/// The header line of a message of this many bytes.
[[nodiscard]] std::string header(Kind kind, std::size_t bytes);

struct Message {
  Kind kind = Kind::note;
  std::string text = {};

  friend bool operator==(const Message&, const Message&) = default;
};

/// Takes a stream apart, however it is cut into pieces.
class Reader {
 public:
  void feed(std::string_view bytes) { pending_.append(bytes); }

  /// The next whole message; nothing while there is none.
  [[nodiscard]] std::optional<Message> next();

  /// The stream holds what no guest of ours says; nothing more is read from it.
  [[nodiscard]] bool garbled() const { return garbled_; }

  /// Whether part of a message is waiting for its rest.
  [[nodiscard]] bool in_the_middle() const { return !pending_.empty(); }

 private:
  std::string pending_ = {};
  bool garbled_ = false;
};

}  // namespace devmap::vm::wire
