#include <harness/base/error.hpp>

#include <fmt/format.h>
#include <cerrno>
#include <cstring>

namespace devmap {
namespace {
constexpr int kLastErrno = 4095;  // MAX_ERRNO in include/linux/err.h
}

std::string errno_name(int code) {
  if (code == kErrnoNotsupp) return "ENOTSUPP";
  const char* name = strerrorname_np(code);
  return name != nullptr ? name : fmt::format("errno {}", code);
}

std::string errno_description(int code) {
  if (code == kErrnoNotsupp) return "524, internal to the kernel";
  const char* description = strerrordesc_np(code);
  return description != nullptr ? description : "no description";
}

int errno_from_name(std::string_view name) {
  for (int code = 1; code <= kLastErrno; ++code) {
    if (errno_name(code) == name) return code;
  }
  return 0;
}

std::string Error::text() const {
  std::string line = call;
  if (code != 0) line += fmt::format(": {} ({})", errno_name(code), errno_description(code));
  if (!context.empty()) line += ": " + context;
  return line;
}

std::unexpected<Error> last_error(std::string call, std::string context) {
  const int code = errno;
  return std::unexpected(Error{std::move(call), code, std::move(context)});
}

}  // namespace devmap
