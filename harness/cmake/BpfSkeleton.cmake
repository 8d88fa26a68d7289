# BPF C sources, compiled by clang and turned into libbpf skeletons, which hold the object file in a header.
include_guard(GLOBAL)
set(DEVMAP_CMAKE_DIR ${CMAKE_CURRENT_LIST_DIR})

find_program(DEVMAP_BPF_CLANG NAMES clang-19 clang-18 clang-17 clang-16 clang-15 clang REQUIRED)
find_program(DEVMAP_BPFTOOL bpftool HINTS /usr/sbin /sbin REQUIRED)

# An object is of the byte order of the kernel that it is for, and the names of types that <linux/types.h> leads to are
# under a directory of the architecture's.
set(DEVMAP_BPF_TARGET bpfel)
if(CMAKE_CXX_BYTE_ORDER STREQUAL "BIG_ENDIAN")
  set(DEVMAP_BPF_TARGET bpfeb)
endif()
if(NOT DEVMAP_BPF_INCLUDE_DIRS)
  set(DEVMAP_BPF_INCLUDE_DIRS /usr/include/${CMAKE_LIBRARY_ARCHITECTURE})
endif()

# Compiles a BPF C source for one byte order.
function(devmap_bpf_object source object target)
  list(TRANSFORM DEVMAP_BPF_INCLUDE_DIRS PREPEND -I OUTPUT_VARIABLE include_options)
  add_custom_command(
    OUTPUT ${object}
    COMMAND ${DEVMAP_BPF_CLANG} -target ${target} -O2 -g -Wall -Werror -mcpu=v3 ${include_options}
            -MD -MF ${object}.d -c ${source} -o ${object}
    DEPENDS ${source}
    DEPFILE ${object}.d
    COMMENT "Compiling ${source} for BPF"
    VERBATIM)
endfunction()

# Makes <name>.skel.h of <name>.bpf.c and lets the target include it as <directory of the source in the repository>/<name>.skel.h.
function(devmap_bpf_skeleton target source)
  get_filename_component(name ${source} NAME)
  string(REGEX REPLACE "\\.bpf\\.c$" "" name ${name})
  cmake_path(ABSOLUTE_PATH source BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR} NORMALIZE)
  cmake_path(GET source PARENT_PATH directory)
  cmake_path(RELATIVE_PATH directory BASE_DIRECTORY ${PROJECT_SOURCE_DIR} OUTPUT_VARIABLE below)
  set(output ${PROJECT_BINARY_DIR}/generated/${below})
  file(MAKE_DIRECTORY ${output})
  devmap_bpf_object(${source} ${output}/${name}.bpf.o ${DEVMAP_BPF_TARGET})
  set(readable ${output}/${name}.bpf.o)
  set(skeleton ${output}/${name}.skel.h)
  if(CMAKE_CROSSCOMPILING AND DEVMAP_BPF_TARGET STREQUAL "bpfeb")
    # bpftool reads objects of its own byte order alone. A skeleton is the same for both, but for the object in it.
    set(readable ${output}/${name}.little-endian.bpf.o)
    set(skeleton ${output}/${name}.little-endian.skel.h)
    devmap_bpf_object(${source} ${readable} bpfel)
    add_custom_command(
      OUTPUT ${output}/${name}.skel.h
      COMMAND ${CMAKE_COMMAND} -DSKELETON=${skeleton} -DOBJECT=${output}/${name}.bpf.o -DOUTPUT=${output}/${name}.skel.h
              -P ${DEVMAP_CMAKE_DIR}/skeleton_with_object.cmake
      DEPENDS ${skeleton} ${output}/${name}.bpf.o ${DEVMAP_CMAKE_DIR}/skeleton_with_object.cmake
      COMMENT "Generating ${below}/${name}.skel.h"
      VERBATIM)
  endif()
  add_custom_command(
    OUTPUT ${skeleton}
    COMMAND ${DEVMAP_BPFTOOL} gen skeleton ${readable} name ${name} > ${skeleton}
    DEPENDS ${readable}
    COMMENT "Generating ${skeleton}"
    VERBATIM)
  target_sources(${target} PRIVATE ${output}/${name}.skel.h)
  target_include_directories(${target} SYSTEM PRIVATE ${PROJECT_BINARY_DIR}/generated)
endfunction()
