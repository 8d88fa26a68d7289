#include <bench/rounds/progress.hpp>

#include <unistd.h>

#include <fmt/format.h>
#include <cstdio>

namespace devmap::bench {

Progress::Progress(bool wanted, std::size_t all) : shown_(wanted && isatty(STDERR_FILENO) == 1), all_(all) {}

Progress::~Progress() {
  if (shown_) std::fputs("\r\033[K", stderr);
}

void Progress::show(const std::string& step) {
  ++through_;
  if (!shown_) return;
  fmt::print(stderr, "\r\033[K[{}/{}] {:.60}", through_, all_, step);
  std::fflush(stderr);
}

}  // namespace devmap::bench
