#pragma once

#include <harness/base/error.hpp>

#include <array>
#include <cassert>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

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

/// The words of a call that are the same each time it is made.
struct CallForm {
  struct Argument {
    const char* name = nullptr;
    Notation notation = Notation::decimal;
  };
  static constexpr std::size_t kMostArguments = 4;

  const char* call = nullptr;
  /// Those without a name are none.
  std::array<Argument, kMostArguments> arguments{};
};

/// What was asked of the kernel, with what it said of it in words. Worded only when somebody reads it. Calls that are
/// made in masses have a form, and are kept as numbers, so that a call through the harness costs no more than the call.
class Asked {
 public:
  struct Argument {
    const char* name = nullptr;
    std::uint64_t value = 0;
    Notation notation = Notation::decimal;
  };

  Asked(const char* call, std::initializer_list<Argument> arguments)
      : wording_(std::make_shared<const Wording>(Wording{.call = call, .arguments = arguments})) {}

  /// `form` must outlive this. Numbers that it has no argument for are not worded.
  template <std::convertible_to<std::uint64_t>... Number>
    requires(sizeof...(Number) <= CallForm::kMostArguments)
  explicit Asked(const CallForm& form, Number... numbers)
      : form_(&form), numbers_{static_cast<std::uint64_t>(numbers)...} {}

  /// The same call with an argument more, where this one is not zero.
  [[nodiscard]] Asked unless_zero(Argument argument) const;

  /// The same call, said to be about this: what the numbers cannot say of it.
  [[nodiscard]] Asked about(std::string purpose) const;

  /// The same call, with the kernel's own explanation of its answer.
  [[nodiscard]] Asked explained(std::string explanation) const;

  /// Empty where the kernel gave none.
  [[nodiscard]] const std::string& explanation() const noexcept;

  /// "update(key 0, ifindex 1, flags BPF_NOEXIST)"; with a purpose, "load program \"returns 0\" (type XDP)".
  [[nodiscard]] std::string text() const;

 private:
  struct Wording {
    const char* call = nullptr;
    std::string purpose = {};
    std::vector<Argument> arguments = {};
    std::string explanation = {};
  };
  explicit Asked(Wording wording) : wording_(std::make_shared<const Wording>(std::move(wording))) {}
  [[nodiscard]] Wording wording() const;

  // One of the two is null.
  const CallForm* form_ = nullptr;
  std::array<std::uint64_t, CallForm::kMostArguments> numbers_{};
  std::shared_ptr<const Wording> wording_ = {};
};

/// What a call to the kernel came to: its value or its errno, with what was asked, and where the kernel gave one, its
/// own explanation (the verifier log, a netlink extended acknowledgement).
template <class T = void>
class [[nodiscard]] Reply {
  using Held = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

 public:
  [[nodiscard]] static Reply refused(const Asked& asked, int code, std::string explanation = {}) {
    return Reply(asked.explained(std::move(explanation)), code, std::nullopt);
  }
  [[nodiscard]] static Reply granted(const Asked& asked, Held value = {}, std::string explanation = {}) {
    return Reply(asked.explained(std::move(explanation)), 0, std::move(value));
  }
  /// Of a call that gave `result`, and `value` where that is no -errno.
  template <class... Number>
  [[nodiscard]] static Reply ended(long result, const Held& value, const CallForm& form, Number... numbers) {
    return Reply(result, value, form, numbers...);
  }

  /// 0 where the call succeeded.
  [[nodiscard]] int error() const noexcept { return error_; }
  [[nodiscard]] explicit operator bool() const noexcept { return error_ == 0; }
  [[nodiscard]] const Asked& asked() const noexcept { return asked_; }
  [[nodiscard]] const std::string& explanation() const noexcept { return asked_.explanation(); }

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
    if (error_ != 0) return failure(asked_.text(), error_, explanation());
    if constexpr (std::is_void_v<T>) {
      return {};
    } else {
      return std::move(*value_);
    }
  }

 private:
  Reply(Asked asked, int error, std::optional<Held> value)
      : asked_(std::move(asked)), error_(error), value_(std::move(value)) {}
  template <class... Number>
  Reply(long result, const Held& value, const CallForm& form, Number... numbers)
      : asked_(form, numbers...), error_(result < 0 ? static_cast<int>(-result) : 0) {
    if (result >= 0) value_ = value;
  }

  Asked asked_;
  int error_;
  std::optional<Held> value_ = {};
};

}  // namespace devmap
