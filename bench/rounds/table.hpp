#pragma once

#include <bench/rounds/record.hpp>

#include <string>

namespace devmap::bench {

/// The figures as a person reads them: a table for each kind of benchmark, with "unreliable" where there is no figure.
[[nodiscard]] std::string tables(const TimeRecord& record);

}  // namespace devmap::bench
