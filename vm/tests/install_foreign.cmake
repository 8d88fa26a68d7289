# Installs programs for another architecture as a package and as they are, and looks for their symbols.
# Arguments: SCRIPT (install_foreign.cmake), COMPILER, SCRATCH_DIR.
include(${CMAKE_CURRENT_LIST_DIR}/../../harness/tests/step.cmake)

find_program(cross_compiler aarch64-linux-gnu-gcc)
find_program(cross_strip aarch64-linux-gnu-strip)
find_program(llvm_strip NAMES llvm-strip-19 llvm-strip)
find_program(native_strip strip REQUIRED)
if(NOT cross_compiler OR NOT cross_strip)
  message(STATUS "no cross compiler is installed: the programs are of this machine")
  set(cross_compiler ${COMPILER})
  set(cross_strip ${native_strip})
endif()

file(REMOVE_RECURSE ${SCRATCH_DIR})
# ARCHITECTURE STRIP: a build for it, of programs that do nothing
function(build architecture strip)
  set(built ${SCRATCH_DIR}/builds/cross-${architecture})
  file(WRITE ${built}/CMakeCache.txt "CMAKE_AR:FILEPATH=/usr/bin/ar\nCMAKE_STRIP:FILEPATH=${strip}\n")
  file(WRITE ${built}/main.c "int a_symbol(void) { return 0; }\nint main(void) { return a_symbol(); }\n")
  foreach(program cases/devmap-conformance vm/devmap-vm-init)
    cmake_path(GET program PARENT_PATH folder)
    file(MAKE_DIRECTORY ${built}/${folder})
    step(${cross_compiler} -g -o ${built}/${program} ${built}/main.c)
  endforeach()
endfunction()

# SYMBOLS (yes or no) FILE
function(expect symbols file)
  step(readelf --wide --sections --file-header ${file})
  string(FIND "${output}" " .symtab " at)
  if((symbols AND at EQUAL -1) OR (NOT symbols AND NOT at EQUAL -1))
    message(FATAL_ERROR "symbols in ${file} should be there: ${symbols}\n${output}")
  endif()
endfunction()

function(install_all prefix strip)
  step(${CMAKE_COMMAND} -E env DESTDIR=${SCRATCH_DIR} ${CMAKE_COMMAND} -DDEVMAP_BUILDS=${SCRATCH_DIR}/builds -DCMAKE_INSTALL_PREFIX=${prefix}
       -DCMAKE_INSTALL_DO_STRIP=${strip} -P ${SCRIPT})
endfunction()

build(arm64 ${cross_strip})
if(llvm_strip)
  # Its own tool is gone.
  build(s390x /nonexistent/strip)
endif()
# A build that is not complete is none.
file(MAKE_DIRECTORY ${SCRATCH_DIR}/builds/cross-armhf/vm)

install_all(/package ON)
install_all(/plain OFF)
foreach(architecture arm64 s390x)
  if(NOT EXISTS ${SCRATCH_DIR}/builds/cross-${architecture})
    continue()
  endif()
  foreach(program devmap-conformance devmap-vm-init)
    expect(OFF ${SCRATCH_DIR}/package/libexec/devmap-conformance/${architecture}/${program})
    expect(ON ${SCRATCH_DIR}/plain/libexec/devmap-conformance/${architecture}/${program})
  endforeach()
endforeach()
if(EXISTS ${SCRATCH_DIR}/package/libexec/devmap-conformance/armhf)
  message(FATAL_ERROR "what was not built is installed")
endif()
file(REMOVE_RECURSE ${SCRATCH_DIR})
