#pragma once

#include <harness/record/result.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace devmap {

/// The results of each chapter, chapters in the order in which they first appear.
[[nodiscard]] std::vector<std::pair<std::string, std::vector<const Result*>>> by_chapter(
    const std::vector<Result>& results);

}  // namespace devmap
