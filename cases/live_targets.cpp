#include <cases/live_targets.hpp>
#include <harness/net/frame.hpp>
#include <harness/net/link.hpp>

#include <algorithm>
#include <span>

namespace devmap::cases {
namespace {

constexpr std::uint8_t kLiveTag = 0x5a;
constexpr std::uint8_t kMarkerTag = 0xff;

}  // namespace

std::vector<std::byte> live_frame() {
  return make_frame(kShortestFrame, kLiveTag);
}

void run_live(Case& c, const Program& program, const LiveRun& run) {
  const auto frame = live_frame();
  xdp_md context{};
  context.data_end = static_cast<std::uint32_t>(frame.size());
  context.ingress_ifindex = run.ingress;
  TestRun test{
      .repeat = run.frames, .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = run.batch_size, .data_in = frame};
  if (run.ingress != 0) test.context_in = std::as_bytes(std::span(&context, 1));
  c.must(program.test_run(test));
}

LiveTargets::LiveTargets(Case& c, const Spec& spec) {
  const auto first = spec.first_ifindex != 0 ? spec.first_ifindex : distinct_ifindex();
  // A number that was asked for may be another check's as well.
  const XdpAttach attach = spec.first_ifindex != 0 ? XdpAttach(XdpAttachment::directly) : c.attacher();
  for (std::uint32_t n = 0; n < spec.count; ++n) {
    const auto pair = c.must(create_veth({.first_name = fmt::format("t{}", n),
                                          .second_name = fmt::format("s{}", n),
                                          .first_index = first + 2 * n,
                                          .second_index = first + 2 * n + 1,
                                          .queues = 1}));
    targets_.push_back({.device = pair.first,
                        .sink = c.must(CountingSink::attach(pair.second, attach)),
                        .socket = c.must(PacketSocket::open(pair.first))});
  }
}

std::vector<std::uint32_t> LiveTargets::devices() const {
  std::vector<std::uint32_t> all;
  std::ranges::transform(targets_, std::back_inserter(all), &Target::device);
  return all;
}

std::vector<std::uint64_t> LiveTargets::arrivals(Case& c) {
  ++markers_;
  for (const auto& target : targets_) c.must(target.socket.send(make_frame(kShortestFrame, kMarkerTag)));
  std::vector<std::uint64_t> since_last;
  for (auto& target : targets_) {
    if (!target.sink.wait_for(markers_, kMarkerTag, c.patience())) {
      c.must(Expected<void>(failure("wait for a frame sent through a veth pair", 0, "it did not come in time")));
    }
    const auto counted = c.must(target.sink.total()) - markers_;
    since_last.push_back(counted - target.counted);
    target.counted = counted;
  }
  return since_last;
}

std::vector<std::uint64_t> LiveTargets::arrivals_of(Case& c, const Program& program, const LiveRun& run) {
  run_live(c, program, run);
  return arrivals(c);
}

bool LiveTargets::received(const Case& c, std::uint64_t frames) const {
  return targets_.front().sink.wait_for(frames, kLiveTag, c.patience());
}

std::vector<std::uint64_t> LiveTargets::whole_arrivals(Case& c) const {
  std::vector<std::uint64_t> tagged;
  tagged.reserve(targets_.size());
  for (const auto& target : targets_) tagged.push_back(c.must(target.sink.tagged(kLiveTag)));
  return tagged;
}

}  // namespace devmap::cases
