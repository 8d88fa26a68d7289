// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

// Visits the elements of a map and looks at none: only whether it can be attached matters.
SEC("iter/bpf_map_elem")
int visit(void* context) {
  (void)context;
  return 0;
}

char license_name[] SEC("license") = "Dual MIT/GPL";
