#include <harness/base/guarded_page.hpp>

#include <sys/mman.h>
#include <unistd.h>

#include <utility>

namespace devmap {

Expected<GuardedPage> GuardedPage::create() {
  const auto page_size = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  void* const pages = mmap(nullptr, 2 * page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) return last_error("mmap");
  GuardedPage page(static_cast<std::byte*>(pages) + page_size, page_size);
  if (mprotect(page.end_, page_size, PROT_NONE) != 0) return last_error("mprotect");
  return page;
}

GuardedPage::GuardedPage(GuardedPage&& other) noexcept
    : end_(std::exchange(other.end_, nullptr)), page_size_(other.page_size_) {}

GuardedPage::~GuardedPage() {
  if (end_ != nullptr) munmap(end_ - page_size_, 2 * page_size_);
}

std::span<std::byte> GuardedPage::last(std::size_t bytes) const noexcept {
  return {end_ - bytes, bytes};
}

}  // namespace devmap
