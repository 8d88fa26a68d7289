# Installs the harness library into a scratch directory, builds a project of a user's own against it, and runs it.
# Arguments: BUILD_DIR (of this project), SOURCE_DIR (of the user's project), SCRATCH_DIR, CXX_COMPILER.
include(${CMAKE_CURRENT_LIST_DIR}/step.cmake)

file(REMOVE_RECURSE ${SCRATCH_DIR})
# Its component is enough for that.
step(${CMAKE_COMMAND} --install ${BUILD_DIR} --prefix ${SCRATCH_DIR}/prefix --component dev)
step(${CMAKE_COMMAND} -G Ninja -S ${SOURCE_DIR} -B ${SCRATCH_DIR}/build -DCMAKE_PREFIX_PATH=${SCRATCH_DIR}/prefix
     -DCMAKE_CXX_COMPILER=${CXX_COMPILER})
step(${CMAKE_COMMAND} --build ${SCRATCH_DIR}/build)
step(${SCRATCH_DIR}/build/own-rules --list)
if(NOT output MATCHES "own.key-size-is-4 +1 ")
  message(FATAL_ERROR "the rule is not listed:\n${output}")
endif()
# A program of a user's own describes its command line as the project's do.
step(${SCRATCH_DIR}/build/own-rules --help-json)
if(NOT output MATCHES "\"name\": \"own-rules\"")
  message(FATAL_ERROR "the command line is not described:\n${output}")
endif()

step(${CMAKE_COMMAND} --install ${BUILD_DIR} --prefix ${SCRATCH_DIR}/prefix --component programs)
foreach(program devmap-conformance devmap-bench devmap-vm devmap-report)
  step(${SCRATCH_DIR}/prefix/bin/${program} --help)
  file(GLOB page ${SCRATCH_DIR}/prefix/share/man/man[18]/${program}.[18])
  if(NOT page)
    message(FATAL_ERROR "${program} has no man page")
  endif()
endforeach()
step(${SCRATCH_DIR}/prefix/bin/devmap-conformance --list)
# Its catalogue is in the program.
step(${CMAKE_COMMAND} -E env XDG_CACHE_HOME=${SCRATCH_DIR}/cache ${SCRATCH_DIR}/prefix/bin/devmap-vm kernels)
file(REMOVE_RECURSE ${SCRATCH_DIR})
