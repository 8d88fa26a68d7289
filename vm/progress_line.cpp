#include <vm/progress_line.hpp>

#include <unistd.h>

#include <fmt/format.h>
#include <cstdio>
#include <utility>

namespace devmap::vm {

ProgressLine::ProgressLine(std::string kernel) : kernel_(std::move(kernel)), wanted_(isatty(STDERR_FILENO) == 1) {}

void ProgressLine::show(const KernelProgress& progress) {
  constexpr std::chrono::duration<double> kPause{0.1};
  const bool is_news = progress.through == 0 || progress.elapsed - told_ >= kPause;
  if (!wanted_ || !is_news) return;
  told_ = progress.elapsed;
  shown_ = true;
  fmt::print(stderr, "\r\033[K{:.110}", progress_text(kernel_, progress));
  std::fflush(stderr);
}

void ProgressLine::clear() {
  if (std::exchange(shown_, false)) std::fputs("\r\033[K", stderr);
}

std::string progress_text(const std::string& kernel, const KernelProgress& progress) {
  std::string text = fmt::format("{}: {}", kernel, name_of(progress.phase));
  if (progress.all != 0) {
    text += fmt::format(", {} of {} ({} %)", progress.through, progress.all, 100 * progress.through / progress.all);
  }
  for (const auto& [verdict, count] : progress.counts) text += fmt::format(", {} {}", count, verdict);
  return text + fmt::format(", {:.1f} s", progress.elapsed.count());
}

}  // namespace devmap::vm
