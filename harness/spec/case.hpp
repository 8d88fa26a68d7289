#pragma once

#include <harness/base/error.hpp>
#include <harness/bpf/devmap.hpp>
#include <harness/bpf/program.hpp>
#include <harness/bpf/reply.hpp>
#include <harness/net/redirect_trace.hpp>
#include <harness/net/xdp_dispatcher.hpp>
#include <harness/record/evidence.hpp>
#include <harness/spec/known_facts.hpp>
#include <harness/spec/variant.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace devmap {

class Refusal;

/// What a run lends a check.
struct Lent {
  /// For programs to be attached behind; null where each is to be attached by itself.
  const XdpDispatcher* dispatcher = nullptr;
  /// The same for programs with BPF_F_XDP_HAS_FRAGS.
  const XdpDispatcher* frags_dispatcher = nullptr;
  /// The slots of both that are this check's.
  std::uint32_t first_slot = 0;
  std::uint32_t slot_count = 0;
  /// Null where every trace is to have a listener of its own.
  const RedirectListener* listener = nullptr;
  /// The listener's ring that is this check's.
  std::uint32_t ring = 0;
  /// Null where every need is to be probed.
  const KnownFacts* facts = nullptr;
  /// How long the check may take altogether.
  std::chrono::milliseconds time_limit = std::chrono::seconds(10);
  /// What it may wait for the kernel at most; absent: what the limit leaves it.
  std::optional<std::chrono::milliseconds> most_patience = {};
  /// How long races are to run; absent: as long as each is worth in a plain run.
  std::optional<std::chrono::milliseconds> soak = {};
};

/// What a rule's check works with: it sets up, acts, and says what it observed against what the rule states. Everything
/// judged becomes evidence. A check that is through without a mismatch has found the kernel to behave as stated.
///
///     auto map = c.devmap(4);                                          // arrange
///     c.refuses(map.update(0, {.ifindex = 1}, BPF_NOEXIST), EEXIST)    // act, judge
///         .control(map.update(0, {.ifindex = 1}, BPF_ANY));
///
/// A Case is used by one thread at a time.
class Case {
 public:
  using Listener = std::function<void(const Evidence&)>;

  /// The listener hears of every line of evidence as it is found.
  explicit Case(Variant variant, Listener listener, const Lent& lent = {});
  Case(const Case&) = delete;
  Case& operator=(const Case&) = delete;
  Case(Case&&) = delete;
  Case& operator=(Case&&) = delete;
  ~Case() = default;

  // --- What is being checked.

  [[nodiscard]] const Variant& variant() const noexcept { return variant_; }
  /// The variant's map type and value size; only for rules whose variants have them.
  [[nodiscard]] DevMapType type() const { return variant_.type.value(); }
  [[nodiscard]] std::uint32_t value_size() const { return variant_.value_size.value(); }
  [[nodiscard]] Mode mode() const { return variant_.mode.value(); }

  // --- Arrange: a step that fails here is the harness's fault (verdict broken), not the kernel's.

  template <class T>
  T must(Expected<T> step) {
    if (!step) throw SetUpFailed{std::move(step.error())};
    if constexpr (!std::is_void_v<T>) return std::move(*step);
  }
  template <class T>
  T must(Reply<T> reply) {
    return must(std::move(reply).expected());
  }
  /// A map of the variant's type and value size.
  [[nodiscard]] DevMap devmap(std::uint32_t max_entries = 4, std::uint32_t map_flags = 0);
  /// A program of these instructions, by default an XDP program.
  [[nodiscard]] Program program(const Assembler& instructions, const ProgramSpec& spec = {});
  /// An XDP program for map entries (expected attach type BPF_XDP_DEVMAP) that returns XDP_PASS.
  [[nodiscard]] Program egress_program(const ProgramSpec& spec = {.expected_attach_type = BPF_XDP_DEVMAP});
  /// Puts a program to work on a device, as fast as it can be done: behind a dispatcher of the run where there is one
  /// that can call the program, else by itself. The device needs a number of its own
  /// (distinct_ifindex).
  [[nodiscard]] XdpAttachment attach(const Program& program, std::uint32_t ifindex, Mode mode);
  /// The same for a helper that attaches what it needs.
  [[nodiscard]] XdpAttach attacher();
  /// Listens to tracepoints as fast as it can be done: by the run's listener where there is one and no other trace of
  /// the check uses it, else by one of its own.
  [[nodiscard]] RedirectTrace trace(RedirectTrace::Tracepoints tracepoints, const RedirectTrace::Watched& watched);

  // --- Act and judge.

  /// The call must succeed. Its value where it has one; where it then fails, the check ends here.
  void succeeds(const Reply<>& reply) { record_success(Role::act, reply); }
  template <class T>
    requires(!std::is_void_v<T>)
  T succeeds(Reply<T> reply) {
    if (!record_success(Role::act, reply)) throw Ended{};
    return std::move(reply).value();
  }

  /// The call must be refused with this errno, and where `saying` is given, with an explanation (verifier log, extended
  /// acknowledgement) that contains it. The only way to write a refusal, and it demands its control: the same call with
  /// only the tested condition repaired, which must succeed.
  template <class T>
  Refusal refuses(const Reply<T>& reply, int code, std::string_view saying = {});

  /// An observed value must be this one.
  template <class Observed, class Stated>
  bool equals(std::string_view what, const Observed& observed, const Stated& stated) {
    const bool same = observed == stated;
    return record({.did = std::string(what),
                   .expected = worded_value(stated),
                   .observed = worded_value(observed),
                   .as_expected = same});
  }

  /// Something that is no call of ours, such as a redirect, must end in this errno. `observed` is it as the kernel has
  /// it, negative or not.
  bool ends_in(std::string_view what, int observed, int code) {
    return equals(what, errno_name(observed < 0 ? -observed : observed), expected_errno(code));
  }
  /// So many of something must end in this errno.
  bool count_that_ends_in(std::string_view what, int code, std::uint64_t observed, std::uint64_t stated) {
    return equals(fmt::format("{} that end in {}", what, expected_errno(code)), observed, stated);
  }
  /// The name of an errno that is part of what is expected, where it is not all of it; the rule declares it like one
  /// that a call ends in:
  ///     c.equals("events", summary(t.events()), "xdp_redirect_err " + c.expected_errno(ENETDOWN));
  [[nodiscard]] std::string expected_errno(int code) {
    refusals_.insert(code);
    return errno_name(code);
  }

  /// A statement about what was observed must be true; `observed` says what was.
  bool holds(std::string_view what, bool is_so, std::string observed = {}) {
    if (observed.empty()) observed = is_so ? "so" : "not so";
    return record({.did = std::string(what), .expected = "so", .observed = std::move(observed), .as_expected = is_so});
  }

  /// Something may have happened that was not observed, and why: where not everything turns out as stated, nothing
  /// follows from it, and the check is run again (Outcome::inexact). The check's traces say so by themselves.
  void may_have_missed(std::string why) { inexact_ = std::move(why); }

  /// Something worth knowing that is not judged.
  void note(std::string text) { record({.role = Role::note, .did = std::move(text)}); }

  /// How long the kernel may now take over what it does on its own time: three quarters of what the check has left, as
  /// the rest is for what comes after it; less where nobody expects it to be done (Lent). Any thread may ask.
  [[nodiscard]] std::chrono::milliseconds patience() const;

  // --- Races: what is judged must hold however long they run and however fast.

  /// How long a race is to run: as long as --soak says, or else this long.
  [[nodiscard]] std::chrono::milliseconds soak(std::chrono::milliseconds usual) const;
  /// So many of these, "frames", were there.
  struct Count {
    std::string_view what;
    std::uint64_t times;
  };
  /// How often things happened in this time: worth knowing, not judged.
  void rates(std::chrono::duration<double> time, std::initializer_list<Count> counts);

  // --- The outcome.

  /// Runs a check to its end, whichever way it ends.
  struct Outcome {
    /// Whether everything judged was as stated; false also where nothing was judged.
    bool as_stated = false;
    /// Why the harness is at fault, where it is.
    std::optional<std::string> broken = {};
    /// Why nothing follows from it, where not all was observed that may have happened; then it is neither as stated nor
    /// broken.
    std::optional<std::string> inexact = {};
    /// The errnos that something was expected to end in (Rule::refuses).
    std::set<int> refusals = {};
  };
  [[nodiscard]] Outcome run(const std::function<void(Case&)>& check);

 private:
  friend class Refusal;
  struct SetUpFailed {
    Error error;
  };
  struct Ended {};

  bool record(const Evidence& evidence);
  void break_off(std::string reason);

  /// Records a call that must succeed.
  template <class T>
  bool record_success(Role role, const Reply<T>& reply) {
    return record({.role = role,
                   .did = reply.asked().text(),
                   .expected = "success",
                   .observed = outcome(reply),
                   .as_expected = static_cast<bool>(reply)});
  }

  template <class T>
  static std::string outcome(const Reply<T>& reply) {
    return reply ? "success" : errno_name(reply.error());
  }

  template <class T>
  static std::string worded_value(const T& value) {
    if constexpr (requires { value.has_value(); }) {
      return value.has_value() ? worded_value(*value) : "nothing";
    } else if constexpr (std::is_same_v<T, Element>) {
      return fmt::format("{{ifindex {}, program id {}}}", value.ifindex, value.program_id);
    } else if constexpr (std::is_enum_v<T>) {
      return fmt::format("{}", static_cast<std::int64_t>(value));
    } else {
      return fmt::format("{}", value);
    }
  }

  Variant variant_;
  Listener listener_;
  Lent lent_;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  std::uint32_t slots_taken_ = 0;
  /// Of lent_; each trace that uses it has a share. Null where there is none.
  std::shared_ptr<const RedirectListener> lent_listener_;
  std::size_t judged_ = 0;
  std::size_t mismatches_ = 0;
  std::optional<std::string> broken_;
  std::optional<std::string> inexact_;
  std::set<int> refusals_;
};

/// A refusal that waits for its control.
class [[nodiscard]] Refusal {
 public:
  Refusal(const Refusal&) = delete;
  Refusal& operator=(const Refusal&) = delete;
  Refusal(Refusal&&) = delete;
  Refusal& operator=(Refusal&&) = delete;
  ~Refusal();

  /// The same call with only the tested condition repaired. It is made after the refused one (C++17 sequences the
  /// argument of a member call after the object it is called on), and it must succeed.
  template <class T>
  void control(const Reply<T>& repaired) && {
    controlled_ = true;
    case_.record_success(Role::control, repaired);
  }

 private:
  friend class Case;
  explicit Refusal(Case& owner) : case_(owner) {}
  Case& case_;
  bool controlled_ = false;
};

template <class T>
Refusal Case::refuses(const Reply<T>& reply, int code, std::string_view saying) {
  refusals_.insert(code);
  const bool said = reply.explanation().find(saying) != std::string::npos;
  std::string expected = errno_name(code);
  std::string observed = outcome(reply);
  if (!saying.empty()) {
    expected += fmt::format(" saying \"{}\"", saying);
    observed += said ? fmt::format(" saying \"{}\"", saying) : " saying \"" + reply.explanation() + "\"";
  }
  record({.did = reply.asked().text(),
          .expected = std::move(expected),
          .observed = std::move(observed),
          .as_expected = reply.error() == code && said});
  return Refusal(*this);
}

}  // namespace devmap
