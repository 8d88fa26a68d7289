#include <algorithm>
#include <array>
#include <charconv>
#include <utility>
#include <vm/wire.hpp>

namespace devmap::vm::wire {
namespace {

constexpr std::array kNames = {
    std::pair{Kind::hello, std::string_view("hello")},     std::pair{Kind::note, std::string_view("note")},
    std::pair{Kind::started, std::string_view("started")}, std::pair{Kind::alive, std::string_view("alive")},
    std::pair{Kind::output, std::string_view("output")},   std::pair{Kind::stopped, std::string_view("stopped")},
    std::pair{Kind::ended, std::string_view("ended")},
};

/// Longer than any header line.
constexpr std::size_t kHeaderLimit = 40;
/// More than any record; a length beyond it is not waited for.
constexpr std::size_t kMessageLimit = std::size_t{1} << 30;

}  // namespace

std::string_view name(Kind kind) {
  const auto* const found = std::ranges::find(kNames, kind, &std::pair<Kind, std::string_view>::first);
  return found->second;
}

std::optional<Kind> kind_named(std::string_view name) {
  const auto* const found = std::ranges::find(kNames, name, &std::pair<Kind, std::string_view>::second);
  if (found == kNames.end()) return std::nullopt;
  return found->first;
}

std::string header(Kind kind, std::size_t bytes) {
  std::string line(name(kind));
  line.append(" ").append(std::to_string(bytes)).append("\n");
  return line;
}

std::optional<Message> Reader::next() {
  if (garbled_) return std::nullopt;
  const auto newline = pending_.find('\n');
  if (newline == std::string::npos) {
    garbled_ = pending_.size() > kHeaderLimit;
    return std::nullopt;
  }
  const std::string_view line = std::string_view(pending_).substr(0, newline);
  const auto space = line.find(' ');
  const auto kind = kind_named(line.substr(0, space));
  std::size_t bytes = 0;
  const char* const end = line.data() + line.size();
  bool whole = false;
  if (space != std::string_view::npos) {
    const auto read = std::from_chars(line.data() + space + 1, end, bytes);
    whole = read.ec == std::errc() && read.ptr == end && bytes <= kMessageLimit;
  }
  if (!kind || !whole) {
    garbled_ = true;
    return std::nullopt;
  }
  if (pending_.size() - newline - 1 < bytes) return std::nullopt;
  Message message{*kind, pending_.substr(newline + 1, bytes)};
  pending_.erase(0, newline + 1 + bytes);
  return message;
}

}  // namespace devmap::vm::wire
