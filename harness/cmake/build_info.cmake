# Writes OUTPUT with the project's VERSION and the commit of SOURCE_DIR; leaves it alone where nothing has changed.
find_program(GIT git)
set(commit "unknown")
if(GIT)
  execute_process(COMMAND ${GIT} -C ${SOURCE_DIR} describe --always --abbrev=12 --dirty --exclude=*
                  OUTPUT_VARIABLE described OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
  if(NOT failed)
    set(commit ${described})
  endif()
endif()
file(CONFIGURE OUTPUT ${OUTPUT} @ONLY CONTENT [[
#include <harness/spec/build_info.hpp>

namespace devmap::build {
const char* const kVersion = "@VERSION@";
const char* const kCommit = "@commit@";
}  // namespace devmap::build
]])
