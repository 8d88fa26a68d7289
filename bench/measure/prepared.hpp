#pragma once

#include <bench/measure/benchmark.hpp>

#include <memory>
#include <set>
#include <string>

namespace devmap::bench {

/// The workload of one benchmark at a time, made in a network namespace of its own, which the calling thread then is
/// in. What one was made of is gone before the next one is made: programs of others would stand in the dispatcher of
/// XDP programs, and their maps be walked through when a device goes.
class Prepared {
 public:
  /// The workload, made and verified where it is not the one before. A benchmark is verified once.
  [[nodiscard]] Expected<Workload*> workload_of(const Benchmark& benchmark);

 private:
  std::string name_;
  std::unique_ptr<Workload> workload_;
  std::set<std::string> verified_;
};

}  // namespace devmap::bench
