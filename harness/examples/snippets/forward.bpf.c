// A learning switch: attach it to every port.
#include <linux/bpf.h>
#include <linux/if_ether.h>

#include <bpf/bpf_helpers.h>

struct {
  __uint(type, BPF_MAP_TYPE_DEVMAP_HASH);
  __uint(max_entries, 64);
  __type(key, __u32);    // the port's ifindex
  __type(value, __u32);  // the same
} ports SEC(".maps");

struct mac {
  __u8 bytes[ETH_ALEN];
};

struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 4096);
  __type(key, struct mac);
  __type(value, __u32);  // the ifindex of the port it is behind
} stations SEC(".maps");

SEC("xdp")
int forward(struct xdp_md* ctx) {
  void* end = (void*)(long)ctx->data_end;
  struct ethhdr* eth = (void*)(long)ctx->data;
  if ((void*)(eth + 1) > end) return XDP_DROP;

  const __u32 in = ctx->ingress_ifindex;
  bpf_map_update_elem(&stations, eth->h_source, &in, BPF_ANY);

  const __u32* out = bpf_map_lookup_elem(&stations, eth->h_dest);
  if (!out) return bpf_redirect_map(&ports, 0, BPF_F_BROADCAST | BPF_F_EXCLUDE_INGRESS);
  if (*out == in) return XDP_DROP;
  return bpf_redirect_map(&ports, *out, XDP_DROP);
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
