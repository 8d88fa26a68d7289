#include <harness/bpf/btf.hpp>

#include <bpf/btf.h>

namespace devmap {

void Btf::Free::operator()(btf* object) const noexcept {
  btf__free(object);  // closes the descriptor as well
}

int Btf::fd() const noexcept {
  return btf__fd(object_.get());
}

Expected<Btf> Btf::load(std::initializer_list<Integer> integers) {
  Btf types(btf__new_empty());
  if (!types.object_) return last_error("btf__new_empty");
  for (const auto& integer : integers) {
    const int id = btf__add_int(types.object_.get(), integer.name.c_str(), integer.size, 0);
    if (id < 0) return failure("btf__add_int", -id, integer.name);
  }
  if (const int error = btf__load_into_kernel(types.object_.get()); error != 0) {
    return failure("btf__load_into_kernel", -error);
  }
  return types;
}

}  // namespace devmap
