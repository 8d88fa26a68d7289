# Everything the project links with. scripts/setup installs it on Debian.
include_guard(GLOBAL)

find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(GTest REQUIRED)
find_package(Boost 1.74 REQUIRED)
if(DEVMAP_BUILD_VM)
  find_package(LibArchive REQUIRED)
  find_package(toml11 REQUIRED)
endif()

# These come without CMake packages, and by name the linker takes the archive or the shared library as the program needs.
find_path(DEVMAP_LIBNL_INCLUDE_DIR netlink/netlink.h PATH_SUFFIXES libnl3 REQUIRED)
foreach(library bpf elf z nl-route-3 nl-genl-3 nl-3)
  find_library(DEVMAP_FOUND_${library} ${library} REQUIRED)
  mark_as_advanced(DEVMAP_FOUND_${library})
endforeach()
set(DEVMAP_SYSTEM_LIBRARIES nl-route-3 nl-genl-3 nl-3 bpf elf z)

# A libelf of Debian 13 or later also reads sections that zstd has compressed, and linked statically it needs that too.
include(CheckCXXSourceCompiles)
set(CMAKE_REQUIRED_LIBRARIES elf z)
if(DEVMAP_STATIC)
  set(CMAKE_REQUIRED_LINK_OPTIONS -static)
endif()
check_cxx_source_compiles("#include <libelf.h>
                           int main() { return elf_compress(nullptr, 0, 0); }" DEVMAP_LIBELF_NEEDS_NO_ZSTD)
unset(CMAKE_REQUIRED_LIBRARIES)
unset(CMAKE_REQUIRED_LINK_OPTIONS)
if(NOT DEVMAP_LIBELF_NEEDS_NO_ZSTD)
  find_library(DEVMAP_FOUND_zstd zstd REQUIRED)
  mark_as_advanced(DEVMAP_FOUND_zstd)
  list(APPEND DEVMAP_SYSTEM_LIBRARIES zstd)
endif()
