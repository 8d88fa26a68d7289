// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

// Stands in for the map that the loader puts in its place.
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 1);
  __uint(key_size, sizeof(__u32));
  __uint(value_size, sizeof(__u32));
} walked SEC(".maps");

struct bpf_map;

static long visit(struct bpf_map* map, const void* key, void* value, void* context) {
  (void)map;
  (void)key;
  (void)value;
  (void)context;
  return 0;
}

SEC("xdp")
int walk(struct xdp_md* frame) {
  (void)frame;
  bpf_for_each_map_elem(&walked, visit, 0, 0);
  return XDP_PASS;
}

char license_name[] SEC("license") = "Dual MIT/GPL";
