// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "frame_race.h"

// Frames that say where they may arrive, and programs that count whether they do. Each sender is one thread on one
// processor, and each sink is polled on one processor at a time: no counter has two writers at once.

// Stand in for the maps that the loader puts in their place.
struct {
  __uint(type, BPF_MAP_TYPE_DEVMAP);
  __uint(max_entries, 1);
  __uint(key_size, sizeof(__u32));
  __uint(value_size, sizeof(__u32));
} targets SEC(".maps");
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
  __uint(max_entries, 1);
  __uint(key_size, sizeof(__u32));
  __uint(value_size, sizeof(__u32));
} outer SEC(".maps");

const volatile __u64 token = 0;
const volatile __u64 redirect_flags = 0;
const volatile __u32 changed_key = 0;
const volatile __u32 has_steady_key = 0;
const volatile __u32 steady_key = 0;
// What the steady frames may do, and what the others may do while the entry is being changed.
const volatile __u32 allowed_steady = 0;
const volatile __u32 allowed_in_between = 0;
const volatile __u32 first_sink = 0;

struct race_state state = {};

static __always_inline struct race_stamp* stamp_of(struct xdp_md* context) {
  struct race_frame* frame = (void*)(long)context->data;
  if ((void*)(frame + 1) > (void*)(long)context->data_end) return 0;
  return frame->stamp.token == token ? &frame->stamp : 0;
}

struct frame_under_way {
  struct race_stamp* stamp;
  struct race_sender* sender;
  __u32 steady;
  __u32 phase;
  __u32 allowed;
};

static __always_inline int begin(struct xdp_md* context, struct frame_under_way* frame) {
  struct race_stamp* stamp = stamp_of(context);
  if (!stamp || stamp->sender >= RACE_SENDERS) return 0;
  struct race_sender* sender = &state.senders[stamp->sender];
  sender->runs++;
  stamp->sequence = (__u32)sender->runs;
  stamp->ingress = context->ingress_ifindex;
  stamp->processor = bpf_get_smp_processor_id();
  frame->stamp = stamp;
  frame->sender = sender;
  frame->steady = has_steady_key && (sender->runs & 1);
  frame->phase = *(volatile __u32*)&state.phase;
  frame->allowed = *(volatile __u32*)&state.allowed;
  return 1;
}

static __always_inline int end(struct frame_under_way* frame, long verdict) {
  const __u32 phase = *(volatile __u32*)&state.phase;
  const __u32 settled = phase == frame->phase && !(phase & 1);
  const __u32 allowed = frame->steady ? allowed_steady : settled ? frame->allowed : allowed_in_between;
  const __u32 lane = frame->steady ? RACE_STEADY : RACE_CHANGED;
  frame->stamp->allowed = allowed;
  if (verdict == XDP_REDIRECT) {
    frame->sender->hits[lane]++;
    if (!(allowed & RACE_HIT)) frame->sender->wrong_hits++;
  } else {
    frame->sender->misses[lane]++;
    if (!(allowed & RACE_MISS)) frame->sender->wrong_misses++;
  }
  return (int)verdict;
}

SEC("xdp")
int redirect(struct xdp_md* context) {
  struct frame_under_way frame;
  if (!begin(context, &frame)) return XDP_PASS;
  return end(&frame, bpf_redirect_map(&targets, frame.steady ? steady_key : changed_key, redirect_flags));
}

SEC("xdp")
int redirect_by_inner(struct xdp_md* context) {
  struct frame_under_way frame;
  const __u32 slot = 0;
  if (!begin(context, &frame)) return XDP_PASS;
  void* map = bpf_map_lookup_elem(&outer, &slot);
  return end(&frame, map ? bpf_redirect_map(map, changed_key, redirect_flags) : XDP_DROP);
}

static __always_inline struct race_sender* leaving(struct xdp_md* context, struct race_stamp** stamp) {
  *stamp = stamp_of(context);
  if (!*stamp || (*stamp)->sender >= RACE_SENDERS) return 0;
  struct race_sender* sender = &state.senders[(*stamp)->sender];
  sender->left++;
  if (bpf_get_smp_processor_id() != (*stamp)->processor) sender->foreign_processor++;
  return sender;
}

// In an entry: whether a frame comes out of the queue it was put into.
SEC("xdp/devmap")
int leave(struct xdp_md* context) {
  struct race_stamp* stamp;
  leaving(context, &stamp);
  return XDP_PASS;
}

// By itself, since it is fatal to read ingress_ifindex on some kernels.
SEC("xdp/devmap")
int leave_with_ingress(struct xdp_md* context) {
  struct race_stamp* stamp;
  struct race_sender* sender = leaving(context, &stamp);
  if (sender && context->ingress_ifindex != stamp->ingress) sender->foreign_ingress++;
  return XDP_PASS;
}

SEC("xdp")
int arrive(struct xdp_md* context) {
  struct race_stamp* stamp = stamp_of(context);
  if (!stamp) return XDP_PASS;
  const __u32 port = (context->ingress_ifindex - first_sink) / 2;
  const __u32 sender = stamp->sender;
  if (port >= RACE_PORTS || sender >= RACE_SENDERS) return XDP_DROP;
  struct race_arrivals* at = &state.ports[port].from[sender];
  if (!(stamp->allowed & (1U << port))) at->forbidden++;
  if (at->frames && stamp->sequence <= at->last) at->disordered++;
  at->last = stamp->sequence;
  at->frames++;  // last: who waits for a frame then sees the rest
  return XDP_DROP;
}

char license_name[] SEC("license") = "Dual MIT/GPL";
