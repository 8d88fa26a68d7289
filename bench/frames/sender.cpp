#include <bench/frames/sender.hpp>

#include <linux/bpf.h>
#include <linux/if_link.h>

#include <array>
#include <span>
#include <utility>

namespace devmap::bench {

Expected<std::unique_ptr<Sender>> Sender::create(const Spec& spec, const Sinks& sinks, const Program& program) {
  auto link = XdpLink::create(program, {.ifindex = sinks.in1(), .flags = xdp_flags(spec.mode)}).expected();
  if (!link) return std::unexpected(link.error());
  std::unique_ptr<Sender> sender(new Sender(spec, sinks.in1(), std::move(*link)));
  sender->program_ = &program;
  if (spec.source == Source::passed) {
    auto generator = program_returning(XDP_PASS);
    if (!generator) return std::unexpected(generator.error());
    auto attached = XdpLink::create(*generator, {.ifindex = sinks.in0(), .flags = XDP_FLAGS_DRV_MODE}).expected();
    if (!attached) return std::unexpected(attached.error());
    sender->generator_ = std::move(*generator);
    sender->generator_link_ = std::move(*attached);
  }
  if (spec.source == Source::packet) {
    auto socket = PacketSocket::open(sinks.in0());
    if (!socket) return std::unexpected(socket.error());
    sender->socket_ = std::move(*socket);
  }
  return sender;
}

Expected<Sender::Sent> Sender::send(std::uint64_t frames, Clock clock) const {
  return spec_.source == Source::packet ? send_packets(frames, clock) : send_live(frames, clock);
}

Expected<Sender::Sent> Sender::send_live(std::uint64_t frames, Clock clock) const {
  xdp_md context{};
  context.data_end = static_cast<std::uint32_t>(spec_.frame.size());
  context.ingress_ifindex = ingress_;
  TestRun run{.repeat = static_cast<std::uint32_t>(frames),
              .flags = BPF_F_TEST_XDP_LIVE_FRAMES,
              .batch_size = spec_.batch,
              .data_in = spec_.frame};
  if (spec_.source == Source::passed) run.context_in = std::as_bytes(std::span(&context, 1));
  return run_live(generator_ ? *generator_ : *program_, run, clock);
}

Expected<Sender::Sent> Sender::run_live(const Program& program, const TestRun& run, Clock clock) {
  const Stopwatch stopwatch(clock);
  auto reply = program.test_run(run);
  const double spent = stopwatch.spent();
  const auto ran = std::move(reply).expected();
  if (!ran) return std::unexpected(ran.error());
  return Sent{.frames = run.repeat, .spent = spent};
}

Expected<Sender::Sent> Sender::send_packets(std::uint64_t frames, Clock clock) const {
  Sent sent;
  const Stopwatch stopwatch(clock);
  while (sent.frames < frames) {
    if (auto more = socket_->send_copies(spec_.frame, spec_.batch); !more) return std::unexpected(more.error());
    sent.frames += spec_.batch;
  }
  sent.spent = stopwatch.spent();
  return sent;
}

}  // namespace devmap::bench
