#include <harness/bpf/reply.hpp>

#include <linux/bpf.h>
#include <linux/if_link.h>

#include <fmt/format.h>
#include <span>

namespace devmap {
namespace {

struct FlagName {
  std::uint64_t bit;
  const char* name;
};

struct NumberName {
  std::uint64_t number;
  const char* name;
};

constexpr FlagName kUpdateFlags[] = {
    {BPF_NOEXIST, "BPF_NOEXIST"}, {BPF_EXIST, "BPF_EXIST"}, {BPF_F_LOCK, "BPF_F_LOCK"}};
constexpr FlagName kMapFlags[] = {
    {BPF_F_NO_PREALLOC, "BPF_F_NO_PREALLOC"}, {BPF_F_NUMA_NODE, "BPF_F_NUMA_NODE"},
    {BPF_F_RDONLY, "BPF_F_RDONLY"},           {BPF_F_WRONLY, "BPF_F_WRONLY"},
    {BPF_F_RDONLY_PROG, "BPF_F_RDONLY_PROG"}, {BPF_F_WRONLY_PROG, "BPF_F_WRONLY_PROG"},
    {BPF_F_MMAPABLE, "BPF_F_MMAPABLE"},       {BPF_F_INNER_MAP, "BPF_F_INNER_MAP"},
};
constexpr FlagName kRedirectFlags[] = {{BPF_F_BROADCAST, "BPF_F_BROADCAST"},
                                       {BPF_F_EXCLUDE_INGRESS, "BPF_F_EXCLUDE_INGRESS"}};
constexpr FlagName kProgramFlags[] = {{BPF_F_SLEEPABLE, "BPF_F_SLEEPABLE"},
                                      {BPF_F_XDP_HAS_FRAGS, "BPF_F_XDP_HAS_FRAGS"},
                                      {1U << 6, "BPF_F_XDP_DEV_BOUND_ONLY"}};  // newer than the headers of Linux 6.1
constexpr FlagName kXdpFlags[] = {{XDP_FLAGS_UPDATE_IF_NOEXIST, "XDP_FLAGS_UPDATE_IF_NOEXIST"},
                                  {XDP_FLAGS_SKB_MODE, "XDP_FLAGS_SKB_MODE"},
                                  {XDP_FLAGS_DRV_MODE, "XDP_FLAGS_DRV_MODE"},
                                  {XDP_FLAGS_HW_MODE, "XDP_FLAGS_HW_MODE"},
                                  {XDP_FLAGS_REPLACE, "XDP_FLAGS_REPLACE"}};
constexpr NumberName kProgramTypes[] = {
    {BPF_PROG_TYPE_SOCKET_FILTER, "SOCKET_FILTER"},
    {BPF_PROG_TYPE_KPROBE, "KPROBE"},
    {BPF_PROG_TYPE_SCHED_CLS, "SCHED_CLS"},
    {BPF_PROG_TYPE_SCHED_ACT, "SCHED_ACT"},
    {BPF_PROG_TYPE_TRACEPOINT, "TRACEPOINT"},
    {BPF_PROG_TYPE_XDP, "XDP"},
    {BPF_PROG_TYPE_PERF_EVENT, "PERF_EVENT"},
    {BPF_PROG_TYPE_CGROUP_SKB, "CGROUP_SKB"},
    {BPF_PROG_TYPE_CGROUP_SOCK, "CGROUP_SOCK"},
    {BPF_PROG_TYPE_LWT_IN, "LWT_IN"},
    {BPF_PROG_TYPE_LWT_OUT, "LWT_OUT"},
    {BPF_PROG_TYPE_LWT_XMIT, "LWT_XMIT"},
    {BPF_PROG_TYPE_SOCK_OPS, "SOCK_OPS"},
    {BPF_PROG_TYPE_SK_SKB, "SK_SKB"},
    {BPF_PROG_TYPE_SK_MSG, "SK_MSG"},
    {BPF_PROG_TYPE_RAW_TRACEPOINT, "RAW_TRACEPOINT"},
    {BPF_PROG_TYPE_FLOW_DISSECTOR, "FLOW_DISSECTOR"},
    {BPF_PROG_TYPE_SYSCALL, "SYSCALL"},
};
// Number 0 is the first cgroup hook by its name, and "none" where XDP is concerned.
constexpr NumberName kAttachTypes[] = {
    {BPF_XDP_DEVMAP, "BPF_XDP_DEVMAP"}, {BPF_XDP_CPUMAP, "BPF_XDP_CPUMAP"}, {BPF_XDP, "BPF_XDP"}};

std::string named_number(std::uint64_t number, std::span<const NumberName> names) {
  for (const auto& known : names) {
    if (known.number == number) return known.name;
  }
  return fmt::format("{}", number);
}

std::string named_bits(std::uint64_t number, std::span<const FlagName> names) {
  if (number == 0) return "0";
  std::string text;
  const auto add = [&text](const std::string& part) { text += (text.empty() ? "" : "|") + part; };
  for (const auto& flag : names) {
    if ((number & flag.bit) == 0) continue;
    add(flag.name);
    number &= ~flag.bit;
  }
  if (number != 0) add(fmt::format("{:#x}", number));
  return text;
}

}  // namespace

std::string worded(std::uint64_t number, Notation notation) {
  switch (notation) {
    case Notation::decimal:
      return fmt::format("{}", number);
    case Notation::signed_decimal:
      return fmt::format("{}", static_cast<std::int64_t>(number));
    case Notation::hexadecimal:
      return fmt::format("{:#x}", number);
    case Notation::update_flags:
      return named_bits(number, kUpdateFlags);
    case Notation::map_flags:
      return named_bits(number, kMapFlags);
    case Notation::redirect_flags:
      return named_bits(number, kRedirectFlags);
    case Notation::program_type:
      return named_number(number, kProgramTypes);
    case Notation::attach_type:
      return named_number(number, kAttachTypes);
    case Notation::program_flags:
      return named_bits(number, kProgramFlags);
    case Notation::xdp_flags:
      return named_bits(number, kXdpFlags);
  }
  return {};
}

Asked::Wording Asked::wording() const {
  if (form_ == nullptr) return *wording_;
  Wording wording{.call = form_->call};
  for (std::size_t i = 0; i < numbers_.size() && form_->arguments.at(i).name != nullptr; ++i) {
    const auto& argument = form_->arguments.at(i);
    wording.arguments.push_back({argument.name, numbers_.at(i), argument.notation});
  }
  return wording;
}

Asked Asked::unless_zero(Argument argument) const {
  if (argument.value == 0) return *this;
  auto longer = wording();
  longer.arguments.push_back(argument);
  return Asked(std::move(longer));
}

Asked Asked::explained(std::string explanation) const {
  if (explanation.empty()) return *this;
  auto longer = wording();
  longer.explanation = std::move(explanation);
  return Asked(std::move(longer));
}

const std::string& Asked::explanation() const noexcept {
  static const std::string kNone;
  return wording_ ? wording_->explanation : kNone;
}

Asked Asked::about(std::string purpose) const {
  auto explained = wording();
  explained.purpose = std::move(purpose);
  return Asked(std::move(explained));
}

std::string Asked::text() const {
  const auto words = wording();
  std::string text = words.call;
  if (!words.purpose.empty()) text += fmt::format(" \"{}\" ", words.purpose);
  text += '(';
  for (const auto* separator = ""; const auto& argument : words.arguments) {
    text += fmt::format("{}{} {}", separator, argument.name, worded(argument.value, argument.notation));
    separator = ", ";
  }
  text += ')';
  return text;
}

}  // namespace devmap
