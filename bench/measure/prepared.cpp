#include <bench/measure/prepared.hpp>

#include <sched.h>

namespace devmap::bench {

Expected<Workload*> Prepared::workload_of(const Benchmark& benchmark) {
  if (workload_ && name_ == benchmark.name) return workload_.get();
  workload_.reset();
  if (unshare(CLONE_NEWNET) != 0) return last_error("unshare(CLONE_NEWNET)");
  auto made = benchmark.prepare();
  if (!made) return std::unexpected(made.error());
  if (!verified_.contains(benchmark.name)) {
    if (auto verified = (*made)->verify(); !verified) return std::unexpected(verified.error());
    verified_.insert(benchmark.name);
  }
  workload_ = std::move(*made);
  name_ = benchmark.name;
  return workload_.get();
}

}  // namespace devmap::bench
