# Toolchain file: builds the suite for another architecture, with Debian's cross compilers and the libraries of a
# directory that scripts/cross has unpacked. Set on the command line:
#   DEVMAP_ARCHITECTURE  the architecture, as Debian calls it: arm64, armhf, i386, ppc64el, riscv64, s390x
#   DEVMAP_SYSROOT       where its libraries and their headers are, if not where scripts/cross puts them; the C library
#                        comes with the compiler, but for riscv64
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES DEVMAP_ARCHITECTURE DEVMAP_SYSROOT)

# As uname(2) says it, and as the compiler's and the libraries' directories are called.
set(machine_arm64 aarch64)
set(machine_armhf armv7l)
set(machine_i386 i686)
set(machine_ppc64el ppc64le)
set(machine_riscv64 riscv64)
set(machine_s390x s390x)
set(libraries_arm64 aarch64-linux-gnu)
set(libraries_armhf arm-linux-gnueabihf)
set(libraries_i386 i386-linux-gnu)
set(libraries_ppc64el powerpc64le-linux-gnu)
set(libraries_riscv64 riscv64-linux-gnu)
set(libraries_s390x s390x-linux-gnu)
if(NOT DEFINED machine_${DEVMAP_ARCHITECTURE})
  message(FATAL_ERROR "DEVMAP_ARCHITECTURE is '${DEVMAP_ARCHITECTURE}', and none of those that this file lists")
endif()

if(NOT DEVMAP_SYSROOT)
  set(cache $ENV{HOME}/.cache)
  if(NOT "$ENV{XDG_CACHE_HOME}" STREQUAL "")
    set(cache $ENV{XDG_CACHE_HOME})
  endif()
  set(DEVMAP_SYSROOT ${cache}/devmap-conformance/sysroots/${DEVMAP_ARCHITECTURE})
endif()

set(CMAKE_SYSTEM_PROCESSOR ${machine_${DEVMAP_ARCHITECTURE}})
set(CMAKE_LIBRARY_ARCHITECTURE ${libraries_${DEVMAP_ARCHITECTURE}})
set(triple ${CMAKE_LIBRARY_ARCHITECTURE})
if(DEVMAP_ARCHITECTURE STREQUAL "i386")
  set(triple i686-linux-gnu)
endif()
if(DEVMAP_ARCHITECTURE STREQUAL "riscv64")
  # The first release of Debian for it is 13, whose libraries need its C library: all of it is in the directory, and is
  # compiled for by a compiler that has none of its own.
  set(CMAKE_SYSROOT ${DEVMAP_SYSROOT})
  set(CMAKE_C_COMPILER clang-19)
  set(CMAKE_CXX_COMPILER clang++-19)
  set(CMAKE_C_COMPILER_TARGET ${triple})
  set(CMAKE_CXX_COMPILER_TARGET ${triple})
  set(linker -fuse-ld=lld-19)
else()
  set(CMAKE_C_COMPILER ${triple}-gcc)
  set(CMAKE_CXX_COMPILER ${triple}-g++)
  set(headers "-isystem ${DEVMAP_SYSROOT}/usr/include")
  set(linker "-L${DEVMAP_SYSROOT}/usr/lib/${CMAKE_LIBRARY_ARCHITECTURE} -L${DEVMAP_SYSROOT}/lib/${CMAKE_LIBRARY_ARCHITECTURE}")
endif()

set(CMAKE_FIND_ROOT_PATH ${DEVMAP_SYSROOT})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

# Files and times have 64 bits everywhere, as the kernel's structures of today have.
set(CMAKE_CXX_FLAGS_INIT "${headers} -D_FILE_OFFSET_BITS=64")
set(CMAKE_EXE_LINKER_FLAGS_INIT "${linker}")
# Where <asm/types.h> is for BPF programs.
set(DEVMAP_BPF_INCLUDE_DIRS ${DEVMAP_SYSROOT}/usr/include ${DEVMAP_SYSROOT}/usr/include/${triple} /usr/${triple}/include)
