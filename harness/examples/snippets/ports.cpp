#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <harness/examples/snippets/ports.hpp>

#include <cerrno>

namespace devmap::examples {

int set_port(int map, std::uint32_t key, const char* name) {
  const std::uint32_t ifindex = if_nametoindex(name);
  if (ifindex == 0) return -errno;  // never write it: in a DEVMAP it would clear the slot
  return bpf_map_update_elem(map, &key, &ifindex, BPF_ANY);
}

int set_port_with_program(int map, std::uint32_t key, std::uint32_t ifindex, int program_fd) {
  bpf_devmap_val value{};
  value.ifindex = ifindex;
  value.bpf_prog.fd = program_fd;
  return bpf_map_update_elem(map, &key, &value, BPF_ANY);
}

int replace_program(int map, std::uint32_t key, int program_fd) {
  bpf_devmap_val value{};
  if (const int error = bpf_map_lookup_elem(map, &key, &value); error != 0) return error;
  value.bpf_prog.fd = program_fd;  // the lookup left an id here, which is no descriptor
  return bpf_map_update_elem(map, &key, &value, BPF_ANY);
}

}  // namespace devmap::examples
