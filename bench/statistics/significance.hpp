#pragma once

#include <span>

namespace devmap::bench {

/// How likely two samples at least as far apart as these are where both come from one distribution: the two-sided
/// p-value of the Mann-Whitney U test, which assumes no shape of the distribution. Exact where no values are equal and
/// neither sample has more than kExactUpTo, otherwise by the normal approximation, with corrections for ties and
/// continuity. Neither sample may be empty.
[[nodiscard]] double mann_whitney_p(std::span<const double> first, std::span<const double> second);

inline constexpr unsigned kExactUpTo = 20;

}  // namespace devmap::bench
