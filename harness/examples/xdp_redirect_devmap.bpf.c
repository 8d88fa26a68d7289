// Redirects every frame it sees to the device in slot OUT_PORT of tx_port, and counts what it does.
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "xdp_redirect_devmap.h"

struct {
  __uint(type, BPF_MAP_TYPE_DEVMAP);
  __uint(max_entries, 64);
  __type(key, __u32);
  __type(value, __u32);  // ifindex
} tx_port SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct statistics);
} counters SEC(".maps");

SEC("xdp")
int redirect(struct xdp_md* ctx) {
  // The lookup is in here: XDP_REDIRECT where the slot has a device, else the action given last.
  const long action = bpf_redirect_map(&tx_port, OUT_PORT, XDP_PASS);

  const __u32 first = 0;
  struct statistics* own = bpf_map_lookup_elem(&counters, &first);
  if (own && action == XDP_REDIRECT) {
    own->frames += 1;
    own->bytes += ctx->data_end - ctx->data;
  } else if (own) {
    own->missed += 1;
  }
  return action;
}

// For OUT: some drivers can transmit redirected frames only while the device has an XDP program itself.
SEC("xdp")
int pass(struct xdp_md* ctx) {
  (void)ctx;
  return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
