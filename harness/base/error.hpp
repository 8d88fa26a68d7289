#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace devmap {

/// The errno the kernel keeps to itself (include/linux/errno.h); libc has no name for it.
inline constexpr int kErrnoNotsupp = 524;

/// The symbolic name of an errno ("EINVAL", "ENOTSUPP" for 524), or "errno N" where there is none.
[[nodiscard]] std::string errno_name(int code);

/// What an errno means, in libc's words: "Invalid argument".
[[nodiscard]] std::string errno_description(int code);

/// The errno with this name, or 0 where no errno has it. Accepts "ENOTSUPP".
[[nodiscard]] int errno_from_name(std::string_view name);

/// A set-up step that did not work: which call, with which errno (0 where none applies), and on what.
struct Error {
  std::string call;
  int code = 0;
  std::string context;

  /// One line for a person: "socket: EMFILE (Too many open files): context".
  [[nodiscard]] std::string text() const;
};

template <class T>
using Expected = std::expected<T, Error>;

/// An Error made of the calling thread's errno.
[[nodiscard]] std::unexpected<Error> last_error(std::string call, std::string context = {});

/// An Error with a given errno; 0 for a failure that has none.
[[nodiscard]] inline std::unexpected<Error> failure(std::string call, int code, std::string context = {}) {
  return std::unexpected(Error{std::move(call), code, std::move(context)});
}

}  // namespace devmap
