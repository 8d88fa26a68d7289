#pragma once

#include <harness/base/error.hpp>
#include <harness/bpf/feature.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace devmap {

/// The features that some process of a run has found to be present, so that no other has to probe for them: a probe can
/// take longer than a check. Processes forked after it was made share it.
class KnownFacts {
 public:
  /// Can keep facts about features of these names.
  [[nodiscard]] static Expected<KnownFacts> about(std::vector<std::string> names);

  /// The fact about the feature: known, or else probed.
  [[nodiscard]] Fact find(const Feature& feature) const;

 private:
  struct Unmap {
    std::size_t size;
    void operator()(unsigned char* board) const noexcept;
  };
  using Board = std::unique_ptr<unsigned char[], Unmap>;

  KnownFacts(std::vector<std::string> names, Board board) : names_(std::move(names)), board_(std::move(board)) {}

  std::vector<std::string> names_;  // sorted
  Board board_;                     // one byte for each name, not 0 where it is present
};

}  // namespace devmap
