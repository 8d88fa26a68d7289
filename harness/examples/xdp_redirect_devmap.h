// What the two halves of xdp_redirect_devmap, the BPF program and the loader, agree on.
#pragma once

#include <linux/types.h>

// The key of OUT in tx_port.
#define OUT_PORT 0

// One of these per CPU. Handed over is not yet delivered: see "Common traps" in README.md.
struct statistics {
  __u64 frames;  // handed over to OUT
  __u64 bytes;   // of those frames
  __u64 missed;  // OUT was not in the map, the frame went to the stack
};
