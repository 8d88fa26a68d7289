#include <vm/instruction_run.hpp>

#include <vm/console.hpp>
#include <vm/files.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <array>
#include <filesystem>
#include <mutex>
#include <thread>
#include <utility>

namespace devmap::vm {
namespace {

/// A guest speaks every second of its own time, which is a thousand million instructions; on a busy machine an emulator
/// takes long for these.
constexpr std::chrono::seconds kSilence{120};

std::string trimmed(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

}  // namespace

GuestParts guest_parts(const CountOptions& options) {
  GuestParts parts{.init = options.programs->init,
                   .suite = options.programs->suite,
                   .arguments = {"instructions", "--output", "/dev/vport0p2"},
                   .streams = false,
                   .settings = settings_of(options.jit)};
  if (!options.filter.empty()) parts.arguments.insert(parts.arguments.end(), {"--filter", options.filter});
  return parts;
}

Expected<CountRun> count_in_guest(const Kernel& kernel, const CountOptions& options,
                                  const std::function<void(std::size_t, std::size_t)>& on_progress) {
  const auto qemu = find_qemu(*kernel.architecture);
  if (!qemu) return std::unexpected(qemu.error());
  const auto scratch = TemporaryDirectory::create(std::filesystem::temp_directory_path());
  if (!scratch) return std::unexpected(scratch.error());
  const auto guest = make_guest(kernel, options.modules, guest_parts(options));
  if (!guest) return std::unexpected(guest.error());
  const Machine machine{.architecture = kernel.architecture,
                        .kernel = kernel.image,
                        .root_image = scratch->path() / "root.cpio",
                        .console = scratch->path() / "console",
                        .cpus = 1,
                        .command_line = options.command_line,
                        .counts_instructions = true,
                        .silence = kSilence};
  if (auto written = write_to(machine.root_image, guest->root_image); !written) {
    return std::unexpected(written.error());
  }
  CountRun run{.command_line = kernel_command_line(machine)};
  std::string printed;
  const auto observed = run_machine(*qemu, machine, options.limit, options.interrupt,
                                    {.output = [&printed](std::string_view text) { printed.append(text); },
                                     .stream =
                                         [&](std::string_view bytes) {
                                           if (auto fed = run.stream.feed(bytes); !fed)
                                             run.notes.push_back(fed.error().text());
                                           on_progress(run.stream.figures().size(), run.stream.all());
                                         },
                                     .has_whole_stream = [&run] { return run.stream.has_end(); }});
  if (!observed) return std::unexpected(observed.error());
  run.outcome = judge(*observed);
  run.exit_code = observed->suite_exit_code.value_or(0);
  run.notes.insert(run.notes.end(), observed->notes.begin(), observed->notes.end());
  if (!printed.empty()) run.notes.push_back(trimmed(printed));
  if (!kernel.modules.empty() && !guest->missing_modules.empty()) {
    run.notes.push_back(fmt::format("modules that are not there: {}", fmt::join(guest->missing_modules, ", ")));
  }
  constexpr std::size_t kLines = 15;
  if (!run.is_whole()) run.console_tail = last_lines(observed->console, kLines);
  return run;
}

std::vector<Expected<CountRun>> count_twice(const Kernel& kernel, const CountOptions& options,
                                            const std::function<void(std::size_t, std::size_t)>& on_progress) {
  std::vector<Expected<CountRun>> runs(2, CountRun{});
  std::mutex mutex;
  std::array<std::pair<std::size_t, std::size_t>, 2> come{};
  {
    std::vector<std::jthread> guests;
    guests.reserve(runs.size());
    for (std::size_t nth = 0; nth < runs.size(); ++nth) {
      guests.emplace_back([&, nth] {
        runs[nth] = count_in_guest(kernel, options, [&, nth](std::size_t figures, std::size_t all) {
          const std::scoped_lock held(mutex);
          come.at(nth) = {figures, all};
          on_progress(come[0].first + come[1].first, come[0].second + come[1].second);
        });
      });
    }
  }
  return runs;
}

}  // namespace devmap::vm
