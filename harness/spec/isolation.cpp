#include <harness/spec/isolation.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <bitset>
#include <cerrno>
#include <filesystem>
#include <harness/base/file.hpp>
#include <optional>
#include <set>
#include <utility>

namespace devmap {
namespace {

/// Which of the lowest descriptors this process has open: new ones are the lowest that are free, and no check has as
/// many at once. A walk of /proc would cost more than many a check, and so would a look at several times as many.
using OpenDescriptors = std::bitset<256>;

OpenDescriptors open_descriptors() {
  std::array<pollfd, OpenDescriptors().size()> asked;
  for (std::size_t fd = 0; fd < asked.size(); ++fd) {
    asked.at(fd) = {.fd = static_cast<int>(fd), .events = 0, .revents = 0};
  }
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  const auto count = std::min<rlim_t>(asked.size(), limit.rlim_cur);  // no more may be asked for at once
  poll(asked.data(), count, 0);
  OpenDescriptors found;
  for (std::size_t fd = 0; fd < count; ++fd) found.set(fd, (asked.at(fd).revents & POLLNVAL) == 0);
  return found;
}

/// What a check left behind in its process, in words; nothing where it left nothing.
std::optional<std::string> left_behind(const OpenDescriptors& before) {
  const auto more = open_descriptors() & ~before;
  for (std::size_t fd = 0; fd < more.size(); ++fd) {
    if (!more.test(fd)) continue;
    std::error_code ignored;
    const auto target = std::filesystem::read_symlink(fmt::format("/proc/self/fd/{}", fd), ignored);
    return fmt::format("left descriptor {} open ({})", fd, target.string());
  }
  if (waitpid(-1, nullptr, WNOHANG) != -1) return "left a child process behind";
  return std::nullopt;
}

/// Where the check and its rule do not name the same errnos, how; nothing where they do. A check that ended early has
/// not come to all of them.
std::optional<std::string> other_refusals(const Rule& rule, const Case::Outcome& outcome) {
  const std::set<int> declared(rule.refuses.begin(), rule.refuses.end());
  for (const int code : outcome.refusals) {
    if (!declared.contains(code)) {
      return fmt::format("the check expects {}, which the rule's .refuses does not name", errno_name(code));
    }
  }
  if (!outcome.as_stated) return std::nullopt;
  for (const int code : declared) {
    if (!outcome.refusals.contains(code)) {
      return fmt::format("the rule's .refuses names {}, which the check expects nowhere", errno_name(code));
    }
  }
  return std::nullopt;
}

/// Mounts a process's network namespace below /run/netns, where ip-netns(8) finds it. How to enter it, or why not.
std::string keep_namespace_of(const std::string& process, const Check& check) {
  std::string name = "devmap." + check.name();
  std::ranges::replace(name, '/', '.');
  const std::string directory = "/run/netns";
  const std::string file = directory + "/" + name;
  mkdir(directory.c_str(), 0755);
  while (umount2(file.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) == 0) {  // of an earlier run
  }
  const UniqueFd made(open(file.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC, 0444));
  if (!made || mount(("/proc/" + process + "/ns/net").c_str(), file.c_str(), nullptr, MS_BIND, nullptr) != 0) {
    return "its namespace could not be kept: " + last_error("mount", file).error().text();
  }
  return fmt::format("enter its namespace with 'nsenter --net={} bash', remove it with 'ip netns del {}'", file, name);
}

/// An Assignment on its way to a child, which shares the memory that the pointer leads to.
struct Order {
  std::size_t index;
  std::array<char, 16> tag;
  Lent lent;
};

/// Waits for the order; fails where none will come any more.
Expected<Order> next_order(int orders_fd) {
  Order order{};
  ssize_t got = 0;
  while ((got = recv(orders_fd, &order, sizeof order, 0)) < 0 && errno == EINTR) {
  }
  if (got < 0) return last_error("recv", "the order for a check");
  if (got != static_cast<ssize_t>(sizeof order)) {
    return failure("recv", 0, fmt::format("the order for a check: {} bytes of {}", got, sizeof order));
  }
  return order;
}

/// Everything a child is apart from its check.
[[noreturn]] void be_child(std::span<const Check> checks, const IsolatedCheck::Options& options, int orders_fd,
                           int report_fd, pid_t parent) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);  // the parent died before it could be watched
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);

  const bool apart = unshare(CLONE_NEWNET) == 0;
  const auto why_not = apart ? "" : last_error("unshare", "a network namespace for the check").error().text();
  const auto give_up = [report_fd](const std::string& why) {
    (void)write_all(report_fd, outcome_line({.as_stated = false, .broken = why}));
    _exit(0);
  };
  const auto order = next_order(orders_fd);
  if (!order) give_up(order.error().text());  // read by nobody where the run is over and has no more orders
  prctl(PR_SET_NAME, order->tag.data());
  if (!apart) give_up(why_not);
  const Check& check = checks[order->index];
  const bool as_stated = run_check_here(check, report_fd, order->lent);
  if (options.keep_namespace && !as_stated) (void)write_all(report_fd, kept_line(keep_namespace_of("self", check)));
  _exit(0);
}

}  // namespace

bool run_check_here(const Check& check, int report_fd, const Lent& lent) {
  const auto say = [report_fd](const std::string& line) { (void)write_all(report_fd, line); };
  for (const auto& need : check.rule->needs) {
    const Fact fact = lent.facts != nullptr ? lent.facts->find(need) : need.probe();
    if (fact.presence == Presence::present) continue;
    const char* prefix = fact.presence == Presence::absent ? "" : "could not tell: ";
    say(missing_line({.feature = need.name, .fact = prefix + fact.text, .remedy = need.remedy}));
    return true;
  }
  const auto before = open_descriptors();
  Case::Outcome outcome;
  {
    Case the_case(check.variant, [&](const Evidence& evidence) { say(evidence_line(evidence)); }, lent);
    outcome = the_case.run(check.rule->check);
  }
  if (!outcome.broken) outcome.broken = left_behind(before);
  if (!outcome.broken) outcome.broken = other_refusals(*check.rule, outcome);
  say(outcome_line(outcome));
  return !outcome.broken && (outcome.as_stated || outcome.inexact);
}

Expected<IsolatedCheck> IsolatedCheck::prepare(std::span<const Check> checks, const Options& options) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return last_error("pipe2");
  UniqueFd reading(ends[0]);
  const UniqueFd writing(ends[1]);
  fcntl(reading.get(), F_SETFL, O_NONBLOCK);
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) return last_error("socketpair");
  UniqueFd ordering(ends[0]);
  const UniqueFd ordered(ends[1]);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) return last_error("fork");
  if (pid == 0) {
    reading.reset();
    ordering.reset();
    be_child(checks, options, ordered.get(), writing.get(), parent);
  }
  setpgid(pid, pid);  // here and in the child, so that neither depends on the other's pace
  UniqueFd process(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!process) {
    auto error = last_error("pidfd_open");
    ::kill(-pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    return error;
  }
  return IsolatedCheck(pid, std::move(process), std::move(ordering), std::move(reading));
}

Expected<void> IsolatedCheck::begin(const Assignment& assignment) {
  Order order{.index = assignment.index, .tag = {}, .lent = assignment.lent};
  std::ranges::copy_n(assignment.tag.begin(),
                      static_cast<std::ptrdiff_t>(std::min(assignment.tag.size(), order.tag.size() - 1)),
                      order.tag.begin());
  // It stays open for as long as the child runs: one that is just about to wait looks for messages first and for a
  // closed end next (net/core/datagram.c:__skb_wait_for_more_packets), so an end closed in between would overtake the
  // order.
  if (send(orders_.get(), &order, sizeof order, MSG_NOSIGNAL) < 0) return last_error("send", "to a prepared child");
  return {};
}

IsolatedCheck::IsolatedCheck(IsolatedCheck&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      process_(std::move(other.process_)),
      orders_(std::move(other.orders_)),
      reports_(std::move(other.reports_)),
      unparsed_(std::move(other.unparsed_)),
      report_(std::move(other.report_)) {}

IsolatedCheck::~IsolatedCheck() {
  if (pid_ <= 0) return;
  kill();
  (void)finish();
}

void IsolatedCheck::collect() {
  std::array<char, 65536> block;
  ssize_t got = 0;
  while ((got = read(reports_.get(), block.data(), block.size())) > 0) {
    unparsed_.append(block.data(), static_cast<std::size_t>(got));
  }
  std::size_t start = 0;
  for (std::size_t end = 0; (end = unparsed_.find('\n', start)) != std::string::npos; start = end + 1) {
    (void)take_line(report_, std::string_view(unparsed_).substr(start, end - start));
  }
  unparsed_.erase(0, start);
}

void IsolatedCheck::keep_namespace(const Check& check) {
  report_.kept = keep_namespace_of(std::to_string(pid_), check);
}

void IsolatedCheck::kill() const noexcept {
  if (pid_ > 0) ::kill(-pid_, SIGKILL);  // -1 would be everybody
}

ChildReport IsolatedCheck::abandon() {
  collect();
  pid_ = -1;
  return std::move(report_);
}

ChildReport IsolatedCheck::finish() {
  siginfo_t ended{};
  int waited = 0;
  while ((waited = waitid(P_PID, static_cast<id_t>(pid_), &ended, WEXITED | WNOWAIT)) != 0 && errno == EINTR) {
  }
  if (waited != 0)
    report_.outcome = {.as_stated = false, .broken = last_error("waitid", "for the process of a check").error().text()};
  collect();
  kill();  // the group outlives its leader where the check left processes behind
  waitpid(std::exchange(pid_, -1), nullptr, 0);
  if (ended.si_code == CLD_EXITED) {
    report_.exit_code = ended.si_status;
  } else {
    report_.signal = ended.si_status;
  }
  return std::move(report_);
}

}  // namespace devmap
