#include <harness/base/capabilities.hpp>

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <harness/base/own_thread.hpp>

namespace devmap {
namespace {

// The system call itself: it acts on the calling thread alone, which is what is wanted here.
Expected<void> keep_only(std::initializer_list<int> kept) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};
  for (const int capability : kept) {
    auto& word = sets.at(static_cast<std::size_t>(CAP_TO_INDEX(capability)));
    word.permitted |= CAP_TO_MASK(capability);
    word.effective |= CAP_TO_MASK(capability);
  }
  if (syscall(SYS_capset, &header, sets.data()) != 0) return last_error("capset");
  return {};
}

}  // namespace

Expected<void> with_capabilities(std::initializer_list<int> kept, const std::function<void()>& function) {
  return on_own_thread([kept] { return keep_only(kept); }, function);
}

}  // namespace devmap
