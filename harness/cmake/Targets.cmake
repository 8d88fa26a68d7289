# How the project's targets are compiled and linked.
include_guard(GLOBAL)

function(devmap_compile_options target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
                                           -Wnon-virtual-dtor -Wold-style-cast -Wunused)
  # GCC 12 sees overlaps within std::string that are not there (GCC bug 105651).
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    target_compile_options(${target} PRIVATE -Wno-restrict)
  endif()
  if(DEVMAP_WARNINGS_AS_ERRORS)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
  if(DEVMAP_SANITIZERS)
    target_compile_options(${target} PUBLIC -fsanitize=${DEVMAP_SANITIZERS} -fno-omit-frame-pointer)
    target_link_options(${target} PUBLIC -fsanitize=${DEVMAP_SANITIZERS})
  endif()
endfunction()

# A program of the project: one file that runs anywhere, where DEVMAP_STATIC asks for it.
function(devmap_add_program target)
  add_executable(${target} ${ARGN})
  devmap_compile_options(${target})
  if(DEVMAP_STATIC)
    target_link_options(${target} PRIVATE -static)
  endif()
endfunction()

# A GoogleTest program whose tests go to ctest one by one. Arguments: target LABEL sources...
function(devmap_add_test target label)
  add_executable(${target} ${ARGN})
  devmap_compile_options(${target})
  target_link_libraries(${target} PRIVATE devmap::harness GTest::gtest_main GTest::gmock)
  set(timeout 120)
  # Kernels without KVM take minutes on a busy machine, and may have to be downloaded first.
  if(label STREQUAL "vm")
    set(timeout 1500)
  endif()
  gtest_discover_tests(${target} TEST_PREFIX "${label}." NO_PRETTY_VALUES PROPERTIES LABELS ${label}
                       TIMEOUT ${timeout} DISCOVERY_TIMEOUT 60)
endfunction()
