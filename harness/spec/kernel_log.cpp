#include <harness/spec/kernel_log.hpp>

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <regex>

namespace devmap {
namespace {

constexpr std::size_t kMostLines = 80;

/// How the kernel begins what a developer must look at.
constexpr std::string_view kBeginnings[] = {
    "WARNING:",
    "BUG:",
    "Oops",
    "general protection fault",
    "kernel BUG at",
    "UBSAN:",
    "refcount_t:",
    "INFO: rcu",
    "INFO: task",
    "INFO: possible",
    "rcu: INFO:",
    "watchdog: BUG:",
    "Unable to handle kernel",
    "Internal error:",
    "Kernel panic",
    "unregister_netdevice: waiting for",
    "stack-protector:",
    "list_add corruption",
    "list_del corruption",
};

bool begins_warning(std::string_view line) {
  return std::ranges::any_of(kBeginnings, [line](std::string_view beginning) { return line.starts_with(beginning); });
}

/// Takes the task from "... PID: 12 Comm: name ..." (up to 6.18) or "... CPU#0: name/12" (later kernels).
void find_task(KernelWarning& warning, const std::string& line) {
  static const std::regex kOldForm(R"(\bPID: (\d+).* Comm: (\S+))");
  static const std::regex kNewForm(R"(\bCPU#\d+: (\S+)/(\d+))");
  static const std::regex kNumberOnly(R"(\bPID: (\d+))");
  std::smatch found;
  const auto number = [](const std::string& text) { return static_cast<std::int64_t>(std::stoll(text)); };
  if (std::regex_search(line, found, kOldForm)) {
    warning.task_id = number(found[1]);
    warning.task_name = found[2];
  } else if (std::regex_search(line, found, kNewForm)) {
    warning.task_name = found[1];
    warning.task_id = number(found[2]);
  } else if (warning.task_id == 0 && std::regex_search(line, found, kNumberOnly)) {
    warning.task_id = number(found[1]);
  }
}

}  // namespace

std::optional<LogRecord> LogRecord::parse(std::string_view record) {
  unsigned priority = 0;
  const auto parsed = std::from_chars(record.data(), record.data() + record.size(), priority);
  const auto text_start = record.find(';');
  if (parsed.ec != std::errc{} || text_start == std::string_view::npos) return std::nullopt;
  const auto text = record.substr(text_start + 1);
  // The facility is what is above the three bits of the level; the kernel's own is 0.
  return LogRecord{.from_kernel = priority >> 3 == 0, .text = std::string(text.substr(0, text.find('\n')))};
}

std::string KernelWarning::summary() const {
  if (lines.empty()) return {};
  const auto place = std::ranges::find_if(lines, [](const auto& line) { return line.starts_with("RIP:"); });
  return place == lines.end() ? lines.front() : lines.front() + "; " + *place;
}

std::optional<KernelWarning> WarningFinder::feed(const LogRecord& record) {
  // Not every trace has an end line; of the beginnings, these never continue another's.
  std::optional<KernelWarning> complete;
  if (record.text.starts_with("WARNING:") || record.text.starts_with("BUG:")) complete = flush();
  if (!open_ && !begins_warning(record.text)) return std::nullopt;
  if (!open_) open_.emplace();
  open_->lines.push_back(record.text);
  find_task(*open_, record.text);
  if (record.text.starts_with("---[ end") || open_->lines.size() >= kMostLines) return flush();
  return complete;
}

std::optional<KernelWarning> WarningFinder::flush() {
  return std::exchange(open_, std::nullopt);
}

Expected<KernelLog> KernelLog::watch(Writers believed) {
  UniqueFd log(open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!log) return last_error("open", "/dev/kmsg");
  if (lseek(log.get(), 0, SEEK_END) < 0) return last_error("lseek", "/dev/kmsg");
  return KernelLog(std::move(log), believed);
}

std::vector<KernelWarning> KernelLog::drain() {
  std::vector<KernelWarning> warnings;
  const auto add = [&warnings](std::optional<KernelWarning> warning) {
    if (warning) warnings.push_back(std::move(*warning));
  };
  std::array<char, 8192> block;  // a read gives one record, at most this long (kernel/printk/printk.c)
  for (;;) {
    const ssize_t got = read(log_.get(), block.data(), block.size());
    if (got < 0 && errno == EPIPE) continue;  // records were overwritten before they could be read
    if (got <= 0) break;
    const auto record = LogRecord::parse({block.data(), static_cast<std::size_t>(got)});
    if (record && (record->from_kernel || believed_ == Writers::anybody)) add(finder_.feed(*record));
  }
  add(finder_.flush());
  return warnings;
}

}  // namespace devmap
