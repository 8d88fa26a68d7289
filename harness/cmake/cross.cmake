# Toolchain file: builds the suite for another architecture, with Debian's cross compilers and the libraries of a
# directory that scripts/cross has unpacked. Set on the command line:
#   DEVMAP_ARCHITECTURE  the architecture, as Debian calls it: arm64, armhf, i386, ppc64el, riscv64, s390x
#   DEVMAP_SYSROOT       where its libraries and their headers are, if not where scripts/cross puts them; the C library
#                        comes with the compiler
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
set(CMAKE_C_COMPILER ${triple}-gcc)
set(CMAKE_CXX_COMPILER ${triple}-g++)

set(CMAKE_FIND_ROOT_PATH ${DEVMAP_SYSROOT})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

# Files and times have 64 bits everywhere, as the kernel's structures of today have.
set(CMAKE_CXX_FLAGS_INIT "-isystem ${DEVMAP_SYSROOT}/usr/include -D_FILE_OFFSET_BITS=64")
set(CMAKE_EXE_LINKER_FLAGS_INIT
    "-L${DEVMAP_SYSROOT}/usr/lib/${CMAKE_LIBRARY_ARCHITECTURE} -L${DEVMAP_SYSROOT}/lib/${CMAKE_LIBRARY_ARCHITECTURE}")
# Where <asm/types.h> is for BPF programs.
set(DEVMAP_BPF_INCLUDE_DIRS ${DEVMAP_SYSROOT}/usr/include /usr/${triple}/include)
