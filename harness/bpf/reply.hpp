#pragma once

#include <harness/base/error.hpp>

#include <array>
#include <cassert>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace devmap {

/// How a number in a call is worded.
enum class Notation : std::uint8_t {
  decimal,
  signed_decimal,
  hexadecimal,
  update_flags,
  map_flags,
  redirect_flags,
  program_type,
  attach_type,
  program_flags,
  xdp_flags,
};

/// A number in words: "7", "-1", "0x10", "BPF_NOEXIST", "BPF_F_RDONLY|0x1000", "SCHED_CLS", "BPF_XDP_DEVMAP".
[[nodiscard]] std::string worded(std::uint64_t number, Notation notation);

/// What was asked of the kernel. Kept as numbers, and worded only when somebody reads it, so that a call through the
/// harness costs no more than the call.
class Asked {
 public:
  struct Argument {
    const char* name = nullptr;
    std::uint64_t value = 0;
    Notation notation = Notation::decimal;
  };
  static constexpr std::size_t kMostArguments = 8;

  Asked(const char* call, std::initializer_list<Argument> arguments) : call_(call) {
    assert(arguments.size() <= kMostArguments);
    for (const auto& argument : arguments) arguments_.at(count_++) = argument;
  }

  /// Adds an argument that is worth a word only where it is not zero; one too many is left out.
  Asked& unless_zero(Argument argument) {
    if (argument.value != 0 && count_ < kMostArguments) arguments_.at(count_++) = argument;
    return *this;
  }

  /// The same call, said to be about this: what the numbers cannot say of it.
  [[nodiscard]] Asked about(std::string purpose) const {
    Asked copy = *this;
    copy.purpose_ = std::move(purpose);
    return copy;
  }

  /// "update(key 0, ifindex 1, flags BPF_NOEXIST)"; with a purpose, "load program \"returns 0\" (type XDP)".
  [[nodiscard]] std::string text() const;

 private:
  const char* call_;
  std::string purpose_ = {};
  std::array<Argument, kMostArguments> arguments_{};
  std::size_t count_ = 0;
};

/// What a call to the kernel came to: its value or its errno, with what was asked, and where the kernel gave one, its
/// own explanation (the verifier log, a netlink extended acknowledgement).
template <class T = void>
class [[nodiscard]] Reply {
  using Held = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

 public:
  [[nodiscard]] static Reply refused(Asked asked, int code, std::string explanation = {}) {
    return Reply(std::move(asked), code, std::nullopt, std::move(explanation));
  }
  [[nodiscard]] static Reply granted(Asked asked, Held value = {}, std::string explanation = {}) {
    return Reply(std::move(asked), 0, std::move(value), std::move(explanation));
  }

  /// 0 where the call succeeded.
  [[nodiscard]] int error() const noexcept { return error_; }
  [[nodiscard]] explicit operator bool() const noexcept { return error_ == 0; }
  [[nodiscard]] const Asked& asked() const noexcept { return asked_; }
  [[nodiscard]] const std::string& explanation() const noexcept { return explanation_; }

  /// The value of a call that succeeded; calling it on one that failed is an error of the caller.
  [[nodiscard]] const Held& value() const& {
    assert(value_.has_value());
    return *value_;
  }
  [[nodiscard]] Held&& value() && {
    assert(value_.has_value());
    return std::move(*value_);
  }

  /// The same as a set-up step.
  [[nodiscard]] Expected<T> expected() && {
    if (error_ != 0) return failure(asked_.text(), error_, std::move(explanation_));
    if constexpr (std::is_void_v<T>) {
      return {};
    } else {
      return std::move(*value_);
    }
  }

 private:
  Reply(Asked asked, int error, std::optional<Held> value, std::string explanation)
      : asked_(std::move(asked)), error_(error), value_(std::move(value)), explanation_(std::move(explanation)) {}

  Asked asked_;
  int error_;
  std::optional<Held> value_;
  std::string explanation_;
};

}  // namespace devmap
