// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

// The fields of kernel types that are looked at; libbpf finds their places in the running kernel.
struct bpf_map {
  __u32 id;
  enum bpf_map_type map_type;
  __u32 key_size;
  __u32 value_size;
  __u32 max_entries;
  __u32 map_flags;
  char name[BPF_OBJ_NAME_LEN];
} __attribute__((preserve_access_index));

struct bpf_iter__bpf_map {
  struct bpf_map* map;
} __attribute__((preserve_access_index));

const volatile __u32 wanted_id = 0;

// What the walk found of the wanted map.
__u32 times_found = 0;
__u32 map_type = 0;
__u32 key_size = 0;
__u32 value_size = 0;
__u32 max_entries = 0;
__u32 map_flags = 0;
char map_name[BPF_OBJ_NAME_LEN] = {};

SEC("iter/bpf_map")
int visit(struct bpf_iter__bpf_map* context) {
  struct bpf_map* map = context->map;
  if (!map || map->id != wanted_id) return 0;  // no map: the walk is over
  times_found++;
  map_type = map->map_type;
  key_size = map->key_size;
  value_size = map->value_size;
  max_entries = map->max_entries;
  map_flags = map->map_flags;
  bpf_probe_read_kernel(map_name, sizeof map_name, map->name);
  return 0;
}

char license_name[] SEC("license") = "Dual MIT/GPL";
