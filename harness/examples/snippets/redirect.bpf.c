// Two ways to the same device.
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#define OUT_PORT 0

const volatile __u32 out_ifindex = 0;  // set before the program is loaded

struct {
  __uint(type, BPF_MAP_TYPE_DEVMAP);
  __uint(max_entries, 64);
  __type(key, __u32);
  __type(value, __u32);  // ifindex
} tx_port SEC(".maps");

SEC("xdp")
int by_index(struct xdp_md* ctx) {
  (void)ctx;
  return bpf_redirect(out_ifindex, 0);
}

SEC("xdp")
int by_map(struct xdp_md* ctx) {
  (void)ctx;
  return bpf_redirect_map(&tx_port, OUT_PORT, XDP_PASS);
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
