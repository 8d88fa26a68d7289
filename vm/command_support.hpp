#pragma once

#include <harness/base/error.hpp>
#include <vm/catalogue.hpp>

#include <string>

namespace devmap::vm {

/// One line on standard error.
void mention(const std::string& what);
/// The same about what ends the program; gives back the exit code.
int complain(const std::string& what, int code);

/// The catalogue in this file; the one that was built in, if there is no name.
[[nodiscard]] Expected<Catalogue> read_catalogue(const std::string& file);

}  // namespace devmap::vm
