#pragma once

#include <harness/base/error.hpp>

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <string>

struct btf;

namespace devmap {

/// Type information loaded into the kernel. Of integers only: enough for the attributes that take type ids.
class Btf {
 public:
  struct Integer {
    std::string name;
    /// In bytes: 1, 2, 4, 8 or 16.
    std::size_t size;
  };
  /// The types get the ids 1, 2 and so on, in this order.
  [[nodiscard]] static Expected<Btf> load(std::initializer_list<Integer> integers);

  [[nodiscard]] int fd() const noexcept;

 private:
  struct Free {
    void operator()(btf* object) const noexcept;
  };
  explicit Btf(btf* object) : object_(object) {}
  std::unique_ptr<btf, Free> object_;
};

}  // namespace devmap
