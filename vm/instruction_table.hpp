#pragma once

#include <vm/instruction_record.hpp>

#include <string>
#include <vector>

namespace devmap::vm {

/// A line an operation, a column a kernel, and below them why figures are left out.
[[nodiscard]] std::string render(const std::vector<InstructionRecord>& records);

}  // namespace devmap::vm
