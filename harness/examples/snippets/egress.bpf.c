// A main program that chooses the port, and a program in the port's entry that finishes the frame for it.
#include <linux/bpf.h>
#include <linux/if_ether.h>

#include <bpf/bpf_helpers.h>

#define OUT_PORT 0

struct {
  __uint(type, BPF_MAP_TYPE_DEVMAP);
  __uint(max_entries, 64);
  __type(key, __u32);
  __type(value, struct bpf_devmap_val);
} ports SEC(".maps");

struct mac {
  __u8 bytes[ETH_ALEN];
};

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 64);
  __type(key, __u32);  // ifindex
  __type(value, struct mac);
} own_address SEC(".maps");

SEC("xdp")
int choose(struct xdp_md* ctx) {
  (void)ctx;
  return bpf_redirect_map(&ports, OUT_PORT, XDP_DROP);
}

SEC("xdp/devmap")
int finish(struct xdp_md* ctx) {
  void* end = (void*)(long)ctx->data_end;
  struct ethhdr* eth = (void*)(long)ctx->data;
  if ((void*)(eth + 1) > end) return XDP_DROP;

  const __u32 out = ctx->egress_ifindex;
  const struct mac* own = bpf_map_lookup_elem(&own_address, &out);
  if (!own) return XDP_DROP;
  __builtin_memcpy(eth->h_source, own->bytes, ETH_ALEN);
  return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
