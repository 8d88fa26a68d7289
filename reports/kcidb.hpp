#pragma once

#include <reports/matrix.hpp>

#include <string>

namespace devmap::reports {

struct KcidbOptions {
  /// The name of the submitting system: small letters, digits and underscores.
  std::string origin = "devmap_conformance";
  /// The build of KCIDB that was tested; a checkout and a build that say what the record knows are made where it is
  /// empty.
  std::string build_id = {};
};

/// A submission to KernelCI's KCIDB, I/O schema 5.0: a checkout and a build a kernel, a test a check. A known deviation
/// is a failure that is waived; what could not be checked was skipped.
[[nodiscard]] std::string render_kcidb(const std::vector<Source>& sources, const Specification& specification,
                                       const KcidbOptions& options);

}  // namespace devmap::reports
