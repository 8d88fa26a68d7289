# Debian packages by `cpack`: the programs, and the library with what building against it needs.
include_guard(GLOBAL)
if(NOT DEVMAP_INSTALL OR NOT PROJECT_IS_TOP_LEVEL OR CMAKE_CROSSCOMPILING)
  return()
endif()

set(debian ${CMAKE_CURRENT_LIST_DIR}/debian)
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME devmap-conformance)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(DEVMAP_PACKAGE_MAINTAINER "The devmap-conformance authors <devmap-conformance@example.org>" CACHE STRING
    "Who answers for the packages")
set(CPACK_PACKAGE_CONTACT ${DEVMAP_PACKAGE_MAINTAINER})
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_COMPONENTS_ALL programs dev)
set(CPACK_STRIP_FILES ON)
set(CPACK_THREADS 0)
# What Debian wants otherwise than the install rules have it: compressed pages, and the files of share/doc.
set(CPACK_PRE_BUILD_SCRIPTS ${debian}/arrange.cmake)
set(CPACK_DEVMAP_DEBIAN_FILES ${debian})
set(CPACK_DEVMAP_DATE ${DEVMAP_VERSION_DATE})
set(CPACK_DEVMAP_ZSH_COMPLETIONS_DIR ${DEVMAP_ZSH_COMPLETIONS_DIR})

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(CPACK_DEBIAN_PROGRAMS_PACKAGE_NAME devmap-conformance)
set(CPACK_DEBIAN_PROGRAMS_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PROGRAMS_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PROGRAMS_PACKAGE_RECOMMENDS "qemu-system-x86, busybox-static")
set(CPACK_DEBIAN_PROGRAMS_PACKAGE_SUGGESTS "qemu-system-arm, qemu-system-misc, qemu-system-ppc")
set(CPACK_COMPONENT_PROGRAMS_DESCRIPTION "Checks what a kernel does with the BPF map types DEVMAP and DEVMAP_HASH, rule
by rule: their calls, redirects of XDP programs in native and generic mode,
broadcasts, egress programs, and events.
.
devmap-conformance checks the running kernel, devmap-vm any other one in a
virtual machine, devmap-bench measures what device maps cost, and
devmap-report makes pages of the results.")

set(CPACK_DEBIAN_DEV_PACKAGE_NAME libdevmap-conformance-dev)
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
string(JOIN ", " CPACK_DEBIAN_DEV_PACKAGE_DEPENDS
  libbpf-dev libboost-dev libcli11-dev libelf-dev libfmt-dev libgtest-dev libnl-3-dev libnl-genl-3-dev libnl-route-3-dev
  nlohmann-json3-dev zlib1g-dev)
set(CPACK_DEBIAN_DEV_PACKAGE_RECOMMENDS "cmake, g++ (>= 4:12)")
set(CPACK_COMPONENT_DEV_DESCRIPTION "The harness of devmap-conformance as a static library, for programs that check
rules of their own: namespaces, links, frames, maps and programs, and the
runner that gives every check a process of its own.
.
CMake finds it as devmap-conformance, with the target devmap::harness.")

include(CPack)
