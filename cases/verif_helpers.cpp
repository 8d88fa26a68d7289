#include <cases/chapters.hpp>
#include <cases/support.hpp>
#include <harness/bpf/features.hpp>
#include <harness/spec/case.hpp>

#include <array>
#include <cerrno>

// Which helpers take a device map, from which types of program, with which arguments, and what becomes of the call.
namespace devmap::cases {
namespace {

const std::string kPairing = "kernel/bpf/verifier.c:check_map_func_compatibility";
const std::string kWrites = "kernel/bpf/verifier.c:record_func_map";
const std::string kPrototype = "net/core/filter.c:bpf_xdp_redirect_map_proto";
constexpr const char* kReadOnly = "write into map forbidden";

/// How a helper takes its arguments; all take a map, and have 16 bytes of initialised stack for key and value.
enum class Arguments : std::uint8_t {
  key,              // (map, key)
  key_value_flags,  // (map, key, value, flags)
  key_cpu,          // (map, key, cpu)
  value,            // (map, value)
  value_flags,      // (map, value, flags)
  context_flags,    // (context, map, flags, data, size)
  context_index,    // (context, map, index)
  data_flags,       // (map, data, size, flags)
};

/// A helper, and a type of map it is made for.
struct Helper {
  const char* name;
  bpf_func_id id;
  Arguments arguments;
  MapSpec own_map;
};

/// The map a helper is made for; its values are as big as those of the variant's map.
Map own_map(Case& c, const Helper& helper) {
  MapSpec spec = helper.own_map;
  if (spec.type != BPF_MAP_TYPE_PROG_ARRAY && spec.value_size != 0) spec.value_size = c.value_size();
  return c.must(Map::create(spec));
}

Assembler calling(const Helper& helper, const Map& map) {
  constexpr std::int16_t kKey = -8;
  constexpr std::int16_t kValue = -16;
  constexpr std::int32_t kDataSize = 8;
  Assembler program;
  const auto point = [&](Register to, std::int16_t offset) {
    program.move(to, Register::r10).compute(Arithmetic::add, to, offset);
  };
  program.store(Width::double_word, Register::r10, kKey, 0).store(Width::double_word, Register::r10, kValue, 0);
  const bool context_first =
      helper.arguments == Arguments::context_flags || helper.arguments == Arguments::context_index;
  program.load_map(context_first ? Register::r2 : Register::r1, map);
  switch (helper.arguments) {
    case Arguments::key:
      point(Register::r2, kKey);
      break;
    case Arguments::key_value_flags:
      point(Register::r2, kKey);
      point(Register::r3, kValue);
      program.move(Register::r4, 0);
      break;
    case Arguments::key_cpu:
      point(Register::r2, kKey);
      program.move(Register::r3, 0);
      break;
    case Arguments::value:
      point(Register::r2, kValue);
      break;
    case Arguments::value_flags:
      point(Register::r2, kValue);
      program.move(Register::r3, 0);
      break;
    case Arguments::context_flags:
      program.move(Register::r3, 0);
      point(Register::r4, kValue);
      program.move(Register::r5, kDataSize);
      break;
    case Arguments::context_index:
      program.move(Register::r3, 0);
      break;
    case Arguments::data_flags:
      point(Register::r2, kValue);
      program.move(Register::r3, kDataSize).move(Register::r4, 0);
      break;
  }
  return program.call(helper.id).return_value(XDP_PASS);
}

Reply<Program> load_calling(Case& c, const Helper& helper, const Map& map, const char* which_map) {
  return load(c, calling(helper, map), {.purpose = fmt::format("calls {} with {}", helper.name, which_map)});
}

constexpr std::uint32_t kRingSize = 65536;  // a multiple of every page size
const std::array kWriters = {
    Helper{"bpf_map_update_elem", BPF_FUNC_map_update_elem, Arguments::key_value_flags, {.type = BPF_MAP_TYPE_HASH}},
    Helper{"bpf_map_delete_elem", BPF_FUNC_map_delete_elem, Arguments::key, {.type = BPF_MAP_TYPE_HASH}},
    Helper{"bpf_map_push_elem",
           BPF_FUNC_map_push_elem,
           Arguments::value_flags,
           {.type = BPF_MAP_TYPE_QUEUE, .key_size = 0}},
    Helper{"bpf_map_pop_elem", BPF_FUNC_map_pop_elem, Arguments::value, {.type = BPF_MAP_TYPE_QUEUE, .key_size = 0}},
};
const Helper kPeek{
    "bpf_map_peek_elem", BPF_FUNC_map_peek_elem, Arguments::value, {.type = BPF_MAP_TYPE_QUEUE, .key_size = 0}};
const std::array kOthers = {
    kPeek,
    Helper{"bpf_ringbuf_output",
           BPF_FUNC_ringbuf_output,
           Arguments::data_flags,
           {.type = BPF_MAP_TYPE_RINGBUF, .key_size = 0, .value_size = 0, .max_entries = kRingSize}},
};
const Helper kTailCall{
    "bpf_tail_call", BPF_FUNC_tail_call, Arguments::context_index, {.type = BPF_MAP_TYPE_PROG_ARRAY}};
const Helper kPerCpu{"bpf_map_lookup_percpu_elem",
                     BPF_FUNC_map_lookup_percpu_elem,
                     Arguments::key_cpu,
                     {.type = BPF_MAP_TYPE_PERCPU_ARRAY}};

/// The verifier's words for a helper that does not go with a map type.
std::string does_not_go_with(std::uint32_t map_type, const char* helper) {
  return fmt::format("cannot pass map_type {} into func {}", map_type, helper);
}

void refuses_helper(Case& c, const Helper& helper) {
  const auto map = c.devmap();
  const auto own = own_map(c, helper);
  const auto words = does_not_go_with(static_cast<std::uint32_t>(c.type()), helper.name);
  c.refuses(load_calling(c, helper, map, "a device map"), EINVAL, words)
      .control(load_calling(c, helper, own, "a map it is made for"));
}

void add_pairing_rules(Registry& rules) {
  rules.add({
      .id = "verif.lookup-and-redirect-are-allowed",
      .states = "An XDP program may call bpf_map_lookup_elem and bpf_redirect_map on a device map.",
      .source = {kPairing},
      .catalogue = {"VERIF-01"},
      .documentation = {{.where = "docs.ebpf.io: BPF_MAP_TYPE_DEVMAP",
                         .statement = "The list of helpers that may be used with the map has bpf_redirect_map only.",
                         .agrees = false}},
      .check =
          [](Case& c) {
            const auto map = c.devmap();
            c.succeeds(load(c, looking_up(map), {.purpose = "looks up"}));
            c.succeeds(load(c, redirecting(map), {.purpose = "redirects"}));
          },
  });

  rules.add({
      .id = "verif.writing-helpers-are-refused",
      .states =
          "A program that calls bpf_map_update_elem, bpf_map_delete_elem, bpf_map_push_elem or bpf_map_pop_elem on "
          "a device map is refused with EACCES.",
      .refuses = {EACCES},
      .source = {kWrites},
      .commits = {"0cdbb4b09a06"},
      .catalogue = {"VERIF-01"},
      .check =
          [](Case& c) {
            const auto map = c.devmap();
            for (const auto& helper : kWriters) {
              const auto own = own_map(c, helper);
              c.refuses(load_calling(c, helper, map, "a device map"), EACCES, kReadOnly)
                  .control(load_calling(c, helper, own, "a map it is made for"));
            }
          },
  });

  rules.add({
      .id = "verif.write-is-refused-before-pairing",
      .states = "The verifier refuses a helper that writes to a device map for the writing, with EACCES, before it "
                "looks whether the "
                "helper goes with the map type.",
      .refuses = {EACCES, EINVAL},
      .source = {kWrites},
      .commits = {"0cdbb4b09a06"},
      .catalogue = {"VERIF-03"},
      .check =
          [](Case& c) {
            const auto map = c.devmap();
            for (const auto& helper : kWriters) {
              const auto reply = load_calling(c, helper, map, "a device map");
              const auto own = own_map(c, helper);
              c.refuses(reply, EACCES, kReadOnly).control(load_calling(c, helper, own, "a map it is made for"));
              c.holds("the verifier log says nothing of the map type",
                      !reply.explanation().contains("cannot pass map_type"));
            }
            refuses_helper(c, kPeek);  // does not write, so it is the pairing that it is refused for
          },
  });

  rules.add({
      .id = "verif.other-map-helpers-are-refused",
      .states = "A program that calls another helper with a device map (bpf_map_peek_elem, "
                "bpf_ringbuf_output) is refused with EINVAL, and the verifier log names the map type and the helper.",
      .refuses = {EINVAL},
      .source = {kPairing},
      .catalogue = {"VERIF-01"},
      .check =
          [](Case& c) {
            for (const auto& helper : kOthers) refuses_helper(c, helper);
          },
  });

  rules.add({
      .id = "verif.tail-call-is-refused",
      .states = "A program that calls bpf_tail_call with a device map is refused with EINVAL.",
      .refuses = {EINVAL},
      .source = {"kernel/bpf/verifier.c:record_func_key", kPairing},
      .catalogue = {"VERIF-01"},
      .check =
          [](Case& c) {
            const auto map = c.devmap();
            const auto own = own_map(c, kTailCall);
            c.refuses(load_calling(c, kTailCall, map, "a device map"), EINVAL)
                .control(load_calling(c, kTailCall, own, "a map it is made for"));
          },
  });

  rules.add({
      .id = "verif.percpu-lookup-is-refused",
      .states =
          "A program that calls bpf_map_lookup_percpu_elem on a device map is refused with EINVAL, and the verifier "
          "log names the map type and the helper.",
      .refuses = {EINVAL},
      .since = {.major = 5, .minor = 19},
      .source = {kPairing},
      .catalogue = {"VERIF-01"},
      .check = [](Case& c) { refuses_helper(c, kPerCpu); },
  });

  rules.add({
      .id = "verif.redirect-map-refuses-other-maps",
      .states =
          "A program that calls bpf_redirect_map on a map of another type, such as an array or a hash, is refused "
          "with EINVAL, and the verifier log names the map type.",
      .refuses = {EINVAL},
      .source = {kPairing},
      .catalogue = {"VERIF-02"},
      .check =
          [](Case& c) {
            const auto map = c.devmap();
            for (const std::uint32_t type :
                 {BPF_MAP_TYPE_ARRAY, BPF_MAP_TYPE_HASH, BPF_MAP_TYPE_LRU_HASH, BPF_MAP_TYPE_PROG_ARRAY}) {
              const auto other = c.must(Map::create({.type = type}));
              c.refuses(load(c, redirecting(other), {.purpose = fmt::format("redirects through map type {}", type)}),
                        EINVAL, does_not_go_with(type, "bpf_redirect_map"))
                  .control(load(c, redirecting(map), {.purpose = "redirects through a device map"}));
            }
          },
  });

  rules.add({
      .id = "verif.redirect-map-takes-redirect-maps",
      .states = "A program may call bpf_redirect_map on a DEVMAP, DEVMAP_HASH, CPUMAP or XSKMAP.",
      .source = {kPairing},
      .catalogue = {"VERIF-02"},
      .variants = once(),
      .check =
          [](Case& c) {
            for (const std::uint32_t type :
                 {BPF_MAP_TYPE_DEVMAP, BPF_MAP_TYPE_DEVMAP_HASH, BPF_MAP_TYPE_CPUMAP, BPF_MAP_TYPE_XSKMAP}) {
              auto created = Map::create({.type = type});
              if (type == BPF_MAP_TYPE_XSKMAP && created.error() == EINVAL) {
                c.note("no XSKMAP was tried: this kernel has no AF_XDP");
                continue;
              }
              const auto map = c.must(std::move(created));
              c.succeeds(load(c, redirecting(map), {.purpose = fmt::format("redirects through map type {}", type)}));
            }
          },
  });
}

void add_program_type_rules(Registry& rules) {
  rules.add({
      .id = "verif.any-type-may-look-up",
      .states = "A program of every type that has bpf_map_lookup_elem may look up in a device map.",
      .source = {kPairing},
      .catalogue = {"VERIF-06"},
      .check =
          [](Case& c) {
            for (const std::uint32_t type :
                 {BPF_PROG_TYPE_SOCKET_FILTER, BPF_PROG_TYPE_SCHED_CLS, BPF_PROG_TYPE_SCHED_ACT, BPF_PROG_TYPE_XDP,
                  BPF_PROG_TYPE_KPROBE, BPF_PROG_TYPE_TRACEPOINT, BPF_PROG_TYPE_RAW_TRACEPOINT,
                  BPF_PROG_TYPE_PERF_EVENT, BPF_PROG_TYPE_LWT_IN, BPF_PROG_TYPE_LWT_OUT, BPF_PROG_TYPE_LWT_XMIT,
                  BPF_PROG_TYPE_SK_SKB, BPF_PROG_TYPE_SK_MSG, BPF_PROG_TYPE_SOCK_OPS, BPF_PROG_TYPE_CGROUP_SKB,
                  BPF_PROG_TYPE_CGROUP_SOCK, BPF_PROG_TYPE_FLOW_DISSECTOR}) {
              // A kernel may be built without a type, which has nothing to do with maps.
              if (const auto idle = load(c, Assembler().return_value(0), {.type = type}); !idle) {
                c.note(fmt::format("not tried: {}, of which not even \"return 0\" loads ({})",
                                   worded(type, Notation::program_type), errno_name(idle.error())));
                continue;
              }
              const auto map = c.devmap();  // each its own: the first type to name a DEVMAP owns it
              c.succeeds(load(c, looking_up(map), {.type = type, .purpose = "looks up"}));
            }
          },
  });

  rules.add({
      .id = "verif.only-xdp-may-redirect",
      .states =
          "A program of another type than XDP that calls bpf_redirect_map on a device map is refused with EINVAL, "
          "and the verifier log names the helper.",
      .refuses = {EINVAL},
      .source = {"net/core/filter.c:xdp_func_proto"},
      .catalogue = {"VERIF-07"},
      .check =
          [](Case& c) {
            for (const std::uint32_t type :
                 {BPF_PROG_TYPE_SCHED_CLS, BPF_PROG_TYPE_SOCKET_FILTER, BPF_PROG_TYPE_KPROBE}) {
              const auto map = c.devmap();
              c.refuses(load(c, redirecting(map), {.type = type, .purpose = "redirects"}), EINVAL,
                        fmt::format("bpf_redirect_map#{}", static_cast<int>(BPF_FUNC_redirect_map)))
                  .control(load(c, redirecting(map), {.type = BPF_PROG_TYPE_XDP, .purpose = "redirects"}));
            }
          },
  });
}

void add_argument_rules(Registry& rules) {
  rules.add({
      .id = "verif.key-and-flags-may-be-unknown",
      .states =
          "The key and the flags of bpf_redirect_map may be numbers that are not known when the program is loaded.",
      .source = {kPrototype},
      .catalogue = {"VERIF-10"},
      .check =
          [](Case& c) {
            const auto map = c.devmap();
            constexpr std::int16_t kIngressIfindex = 12;
            constexpr std::int16_t kRxQueueIndex = 16;
            c.succeeds(load(c,
                            Assembler()
                                .load(Width::word, Register::r2, Register::r1, kIngressIfindex)
                                .load(Width::word, Register::r3, Register::r1, kRxQueueIndex)
                                .load_map(Register::r1, map)
                                .call(BPF_FUNC_redirect_map)
                                .exit(),
                            {.purpose = "takes key and flags from its context"}));
            c.succeeds(load(c,
                            Assembler()
                                .call(BPF_FUNC_ktime_get_ns)
                                .move(Register::r2, Register::r0)
                                .move(Register::r3, Register::r0)
                                .load_map(Register::r1, map)
                                .call(BPF_FUNC_redirect_map)
                                .exit(),
                            {.purpose = "takes 64 unknown bits for key and flags"}));
          },
  });

  rules.add({
      .id = "verif.redirect-needs-a-map",
      .states = "A program that calls bpf_redirect_map with something else than a map is refused with EACCES.",
      .refuses = {EACCES},
      .source = {kPrototype},
      .catalogue = {"VERIF-10"},
      .check =
          [](Case& c) {
            const auto map = c.devmap();
            const auto with_map = [&](Assembler map_argument, std::string purpose) {
              return load(c,
                          map_argument.move(Register::r2, 0).move(Register::r3, 0).call(BPF_FUNC_redirect_map).exit(),
                          {.purpose = std::move(purpose)});
            };
            const auto good = [&] { return with_map(Assembler().load_map(Register::r1, map), "redirects by a map"); };
            constexpr const char* kExpected = "expected=map_ptr";
            c.refuses(with_map(Assembler().move(Register::r1, 1), "redirects by the number 1"), EACCES, kExpected)
                .control(good());
            c.refuses(with_map(Assembler().move(Register::r1, Register::r10), "redirects by a stack address"), EACCES,
                      kExpected)
                .control(good());
            c.refuses(with_map(Assembler(), "redirects by its context"), EACCES, kExpected).control(good());
          },
  });

  rules.add({
      .id = "verif.redirect-arguments-are-initialised",
      .states =
          "A program that calls bpf_redirect_map without a key or without flags in their registers is refused with "
          "EACCES.",
      .refuses = {EACCES},
      .source = {kPrototype},
      .catalogue = {"VERIF-10"},
      .check =
          [](Case& c) {
            const auto map = c.devmap();
            const auto with = [&](bool key, bool flags) {
              Assembler program;
              program.load_map(Register::r1, map);
              if (key) program.move(Register::r2, 0);
              if (flags) program.move(Register::r3, 0);
              return load(c, program.call(BPF_FUNC_redirect_map).exit(),
                          {.purpose = fmt::format("redirects {} key, {} flags", key ? "with a" : "without a",
                                                  flags ? "with" : "without")});
            };
            c.refuses(with(false, true), EACCES, "R2 !read_ok").control(with(true, true));
            c.refuses(with(true, false), EACCES, "R3 !read_ok").control(with(true, true));
          },
  });
}

/// Where a program's two calls go, as distances from a place of the kernel's own.
struct Calls {
  std::int32_t clock = 0;
  std::int32_t redirect = 0;
};

Calls calls_of_program_with(Case& c, std::uint32_t map_type) {
  const auto map = c.must(Map::create({.type = map_type}));
  const auto program = c.program(Assembler().call(BPF_FUNC_ktime_get_ns).redirect_map(map, 0, XDP_PASS).exit());
  std::vector<std::int32_t> distances;
  for (const auto& instruction : c.must(program.info()).translated) {
    if (instruction.code == (BPF_JMP | BPF_CALL)) distances.push_back(instruction.imm);
  }
  if (distances.size() != 2) return c.must(Expected<Calls>(failure("find the program's two calls", ENOENT)));
  return {.clock = distances[0], .redirect = distances[1]};
}

void add_inlining_rules(Registry& rules) {
  rules.add({
      .id = "verif.redirect-calls-the-map-type",
      .states = "A compiled program's call of bpf_redirect_map goes directly to the function of the map's type, so it "
                "goes elsewhere with a DEVMAP, a DEVMAP_HASH and a CPUMAP.",
      .since = {.major = 5, .minor = 13},
      .source = {"kernel/bpf/verifier.c:do_misc_fixups"},
      .commits = {"e6a4750ffe9d"},
      .catalogue = {"VERIF-11"},
      .variants = once(),
      .needs = {features::jit(), features::visible_call_targets()},
      .check =
          [](Case& c) {
            const auto devmap = calls_of_program_with(c, BPF_MAP_TYPE_DEVMAP);
            const auto again = calls_of_program_with(c, BPF_MAP_TYPE_DEVMAP);
            const auto hash = calls_of_program_with(c, BPF_MAP_TYPE_DEVMAP_HASH);
            const auto cpumap = calls_of_program_with(c, BPF_MAP_TYPE_CPUMAP);
            c.note("call targets as the kernel gives them back: distances from its __bpf_call_base");
            c.equals("target of bpf_redirect_map with another DEVMAP", again.redirect, devmap.redirect);
            const auto elsewhere = [&](const char* what, const Calls& one, const Calls& other) {
              c.equals(fmt::format("target of bpf_ktime_get_ns in the program with {}", what), one.clock, other.clock);
              c.holds(fmt::format("the target of bpf_redirect_map with {} is another", what),
                      one.redirect != other.redirect, fmt::format("{} and {}", one.redirect, other.redirect));
            };
            elsewhere("a DEVMAP_HASH and not a DEVMAP", hash, devmap);
            elsewhere("a CPUMAP and not a DEVMAP", cpumap, devmap);
            elsewhere("a CPUMAP and not a DEVMAP_HASH", cpumap, hash);
          },
  });

  rules.add({
      .id = "verif.redirect-was-one-helper",
      .states = "A program's call of bpf_redirect_map goes to the same function whatever the type of the map.",
      .until = KernelVersion{.major = 5, .minor = 13},
      .source = {"net/core/filter.c:bpf_xdp_redirect_map"},
      .commits = {"e6a4750ffe9d"},
      .catalogue = {"VERIF-11"},
      .variants = once(),
      .needs = {features::jit(), features::visible_call_targets()},
      .check =
          [](Case& c) {
            const auto devmap = calls_of_program_with(c, BPF_MAP_TYPE_DEVMAP);
            const auto hash = calls_of_program_with(c, BPF_MAP_TYPE_DEVMAP_HASH);
            c.equals("target of bpf_redirect_map with a DEVMAP_HASH and a DEVMAP", hash.redirect, devmap.redirect);
          },
  });
}

}  // namespace

void add_verif_helper_rules(Registry& rules) {
  add_pairing_rules(rules);
  add_program_type_rules(rules);
  add_argument_rules(rules);
  add_inlining_rules(rules);
}

}  // namespace devmap::cases
