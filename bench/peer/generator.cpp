#include <bench/peer/generator.hpp>

#include <bench/command_line.hpp>
#include <bench/exit_codes.hpp>
#include <bench/frames/sender.hpp>

#include <linux/bpf.h>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdio>
#include <harness/base/processor.hpp>
#include <harness/bpf/assembler.hpp>
#include <harness/net/frame.hpp>

namespace devmap::bench {
namespace {

struct Asked {
  std::uint32_t ifindex = 0;
  std::uint32_t frames = 0;
  std::uint32_t length = 64;
  std::uint32_t batch = 64;
  unsigned processor = 0;
};

Expected<void> generate(const Asked& asked) {
  if (auto stays = stay_on_processor(asked.processor); !stays) return stays;
  const auto instructions = Assembler()
                                .move(Register::r1, static_cast<std::int32_t>(asked.ifindex))
                                .move(Register::r2, 0)
                                .call(BPF_FUNC_redirect)
                                .exit()
                                .build();
  if (!instructions) return std::unexpected(instructions.error());
  const auto program = Program::load({}, *instructions).expected();
  if (!program) return std::unexpected(program.error());
  const auto frame = make_frame(asked.length, 0);
  const auto sent = Sender::run_live(
      *program,
      {.repeat = asked.frames, .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = asked.batch, .data_in = frame},
      Clock::thread_time);
  if (!sent) return std::unexpected(sent.error());
  return {};
}

}  // namespace

int run_generate_command(const std::vector<std::string>& arguments) {
  Asked asked;
  CLI::App app("Send frames through a device; devmap-bench peer starts this", "devmap-bench generate");
  app.add_option("--ifindex", asked.ifindex)->required();
  app.add_option("--frames", asked.frames)->required()->check(CLI::PositiveNumber);
  app.add_option("--length", asked.length);
  app.add_option("--batch", asked.batch);
  app.add_option("--processor", asked.processor);
  if (const auto ended = parse(app, arguments)) return *ended;
  const auto generated = generate(asked);
  if (generated) return 0;
  fmt::print(stderr, "devmap-bench generate: {}\n", generated.error().text());
  return kBroken;
}

}  // namespace devmap::bench
