# BPF C sources, compiled by clang and turned into libbpf skeletons, which hold the object file in a header.
include_guard(GLOBAL)

find_program(DEVMAP_BPF_CLANG NAMES clang-19 clang-18 clang-17 clang-16 clang-15 clang REQUIRED)
find_program(DEVMAP_BPFTOOL bpftool HINTS /usr/sbin /sbin REQUIRED)

# Makes <name>.skel.h of <name>.bpf.c and lets the target include it as <directory of the source in the repository>/<name>.skel.h.
function(devmap_bpf_skeleton target source)
  get_filename_component(name ${source} NAME)
  string(REGEX REPLACE "\\.bpf\\.c$" "" name ${name})
  cmake_path(ABSOLUTE_PATH source BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR} NORMALIZE)
  cmake_path(GET source PARENT_PATH directory)
  cmake_path(RELATIVE_PATH directory BASE_DIRECTORY ${PROJECT_SOURCE_DIR} OUTPUT_VARIABLE below)
  set(output ${PROJECT_BINARY_DIR}/generated/${below})
  file(MAKE_DIRECTORY ${output})
  add_custom_command(
    OUTPUT ${output}/${name}.bpf.o
    COMMAND ${DEVMAP_BPF_CLANG} -target bpf -O2 -g -Wall -Werror -mcpu=v3
            -I/usr/include/${CMAKE_LIBRARY_ARCHITECTURE} -MD -MF ${output}/${name}.bpf.d
            -c ${source} -o ${output}/${name}.bpf.o
    DEPENDS ${source}
    DEPFILE ${output}/${name}.bpf.d
    COMMENT "Compiling ${below}/${name}.bpf.c for BPF"
    VERBATIM)
  add_custom_command(
    OUTPUT ${output}/${name}.skel.h
    COMMAND ${DEVMAP_BPFTOOL} gen skeleton ${output}/${name}.bpf.o name ${name} > ${output}/${name}.skel.h
    DEPENDS ${output}/${name}.bpf.o
    COMMENT "Generating ${below}/${name}.skel.h"
    VERBATIM)
  target_sources(${target} PRIVATE ${output}/${name}.skel.h)
  target_include_directories(${target} SYSTEM PRIVATE ${PROJECT_BINARY_DIR}/generated)
endfunction()
