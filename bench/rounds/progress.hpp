#pragma once

#include <cstddef>
#include <string>

namespace devmap::bench {

/// How far a run is, in a line on standard error where that is a terminal; gone with this object.
class Progress {
 public:
  /// `all`: steps there are to be.
  Progress(bool wanted, std::size_t all);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  Progress(Progress&&) = delete;
  Progress& operator=(Progress&&) = delete;
  ~Progress();
  /// One step more; of what.
  void show(const std::string& step);

 private:
  bool shown_;
  std::size_t all_;
  std::size_t through_ = 0;
};

}  // namespace devmap::bench
