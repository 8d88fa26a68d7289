#include <harness/bpf/reply.hpp>

#include <linux/bpf.h>

#include <fmt/format.h>
#include <span>

namespace devmap {
namespace {

struct FlagName {
  std::uint64_t bit;
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
  }
  return {};
}

std::string Asked::text() const {
  std::string text = call_;
  text += '(';
  for (std::size_t i = 0; i < count_; ++i) {
    const auto& argument = arguments_.at(i);
    text += fmt::format("{}{} {}", i == 0 ? "" : ", ", argument.name, worded(argument.value, argument.notation));
  }
  text += ')';
  return text;
}

}  // namespace devmap
