#include <bench/rounds/processes.hpp>

#include <bench/rounds/interruption.hpp>
#include <vm/process.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>
#include <array>
#include <cerrno>
#include <csignal>
#include <harness/base/unique_fd.hpp>
#include <string>
#include <utility>
#include <vector>

namespace devmap::bench {
namespace {

std::vector<std::string> worker_arguments(const WorkerSpec& spec, int descriptor) {
  std::vector<std::string> arguments = {"worker",
                                        "--descriptor",
                                        std::to_string(descriptor),
                                        "--first",
                                        std::to_string(spec.first_round),
                                        "--rounds",
                                        std::to_string(spec.rounds),
                                        "--seed",
                                        std::to_string(spec.seed),
                                        "--patience",
                                        std::to_string(spec.patience)};
  for (const auto* benchmark : spec.benchmarks) arguments.push_back(benchmark->name);
  return arguments;
}

/// Hands on whole lines; keeps the rest.
Expected<void> take_lines(std::string& text, const std::function<void(TakenSample)>& took) {
  std::size_t begin = 0;
  for (auto end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
    auto sample = TakenSample::from_json_line(std::string_view(text).substr(begin, end - begin));
    if (!sample) return std::unexpected(sample.error());
    took(std::move(*sample));
    begin = end + 1;
  }
  text.erase(0, begin);
  return {};
}

/// Up to the end of what the process writes, or a signal.
Expected<void> read_samples(int from, const std::function<void(TakenSample)>& took) {
  std::string text;
  std::array<char, 4096> block;
  while (signal_that_came() == 0) {
    const auto got = read(from, block.data(), block.size());
    if (got == 0) return {};
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return last_error("read", "from a process that measures");
    text.append(block.data(), static_cast<std::size_t>(got));
    if (auto taken = take_lines(text, took); !taken) return taken;
  }
  return {};
}

}  // namespace

Expected<void> take_rounds_elsewhere(const WorkerSpec& spec, const std::function<void(TakenSample)>& took) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return last_error("pipe2");
  const UniqueFd reading(ends[0]);
  UniqueFd writing(ends[1]);
  auto process = vm::Process::start({.program = "/proc/self/exe",
                                     .arguments = worker_arguments(spec, writing.get()),
                                     .kept_descriptors = {writing.get()}});
  if (!process) return std::unexpected(process.error());
  writing.reset();
  const auto read = read_samples(reading.get(), took);
  if (!read || signal_that_came() != 0) process->send(SIGKILL);
  const auto finished = process->wait();
  if (!read) return read;
  if (signal_that_came() == 0 && finished.exit_code != 0) {
    return failure("a process that measures", 0, fmt::format("it ended with {}: {}", finished.exit_code, finished.err));
  }
  return {};
}

}  // namespace devmap::bench
