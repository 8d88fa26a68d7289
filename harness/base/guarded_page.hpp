#pragma once

#include <harness/base/error.hpp>

#include <cstddef>
#include <span>

namespace devmap {

/// A page of memory that is followed by one that cannot be touched: what reads or writes past its end fails.
class GuardedPage {
 public:
  [[nodiscard]] static Expected<GuardedPage> create();
  GuardedPage(GuardedPage&& other) noexcept;
  GuardedPage& operator=(GuardedPage&&) = delete;
  GuardedPage(const GuardedPage&) = delete;
  GuardedPage& operator=(const GuardedPage&) = delete;
  ~GuardedPage();

  /// The last bytes that can be touched.
  [[nodiscard]] std::span<std::byte> last(std::size_t bytes) const noexcept;
  /// The first byte that cannot.
  [[nodiscard]] std::byte* end() const noexcept { return end_; }

 private:
  GuardedPage(std::byte* end, std::size_t page_size) : end_(end), page_size_(page_size) {}
  std::byte* end_;
  std::size_t page_size_;
};

}  // namespace devmap
