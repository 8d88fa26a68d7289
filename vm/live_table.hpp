#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace devmap::vm {

/// How far one of several kernels has come.
struct KernelRow {
  enum class State : std::uint8_t { waiting, running, ended };

  std::string label = {};
  State state = State::waiting;
  /// What it is at, or what came of it: "booting", "panic".
  std::string phase = {};
  /// Whether what came of it is not as it should be.
  bool failed = false;
  /// Checks with a result, and all; 0 before that is known.
  std::size_t through = 0;
  std::size_t all = 0;
  /// By verdict; only those that occur.
  std::map<std::string, std::size_t> counts = {};
  std::chrono::duration<double> elapsed{};
};

struct LiveTableStyle {
  /// Of the terminal.
  std::size_t width = 80;
  std::size_t height = 24;
  bool color = false;
};

/// "1374 conforms, 45 absent", in the order of the verdicts.
[[nodiscard]] std::string text_of(const std::map<std::string, std::size_t>& counts);

/// A line a kernel below a line of headings, none wider than the terminal. Where there are more kernels than lines,
/// those that are running come first, then those that failed, then the last ones to have ended; a last line counts the
/// others.
[[nodiscard]] std::vector<std::string> render(const std::vector<KernelRow>& rows, const LiveTableStyle& style);

/// Kernels on standard error as they run: on a terminal a table that is written over again and again, and stays at the
/// end; elsewhere a line for each kernel that begins or ends. Can be used by several threads.
class LiveTable {
 public:
  LiveTable(std::vector<std::string> labels, bool on_terminal);

  /// A kernel has come further.
  void update(std::size_t at, KernelRow row);
  /// Brings the times of running kernels up to date.
  void tick();
  /// Writes a line above the table.
  void say(const std::string& line);

 private:
  using Clock = std::chrono::steady_clock;

  void tell_of(const KernelRow& before, const KernelRow& now) const;
  void draw();
  void erase();

  std::mutex mutex_;
  bool on_terminal_;
  std::vector<KernelRow> rows_;
  std::vector<Clock::time_point> began_;
  Clock::time_point drawn_ = {};
  std::size_t lines_ = 0;
};

}  // namespace devmap::vm
