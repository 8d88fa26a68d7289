#include <harness/spec/progress_line.hpp>

#include <unistd.h>

#include <fmt/format.h>
#include <cstdio>
#include <harness/record/verdict.hpp>

namespace devmap {
namespace {

constexpr const char* kBackAndClear = "\r\033[K";

}  // namespace

ProgressLine::ProgressLine(bool wanted) : shown_(wanted && isatty(STDERR_FILENO) == 1) {}

ProgressLine::~ProgressLine() {
  if (shown_) std::fputs(kBackAndClear, stderr);
}

void ProgressLine::show(const Result& result, std::size_t through, std::size_t all) {
  if (!shown_) return;
  if (fails(result.verdict)) ++failed_;
  fmt::print(stderr, "{}[{}/{}] {} failed  {:.60}", kBackAndClear, through, all, failed_, result.name());
  std::fflush(stderr);
}

}  // namespace devmap
