#pragma once

#include <harness/base/error.hpp>
#include <harness/record/record.hpp>

#include <string>
#include <string_view>

namespace devmap {

/// Reads a result record again (harness/record/result-record.schema.json). Fields that this version does not know are
/// passed over. The error is one line for a person: where the text is cut off, of a newer schema, no record at all, or
/// which field is wrong.
[[nodiscard]] Expected<RunRecord> parse_record(std::string_view text);

/// The same of a file ("-" is standard input); the error names it. A file of more than 512 MiB is not read.
[[nodiscard]] Expected<RunRecord> read_record(const std::string& file);

/// Whether a text can be the id of a rule: "chapter.slug" in small letters, digits and hyphens. Such a text is also
/// safe as the name of a file.
[[nodiscard]] bool is_rule_id(std::string_view text);

}  // namespace devmap
