# How the programs are installed, with their man pages and completions.
include_guard(GLOBAL)
include(GNUInstallDirs)

# Of this version; man pages tell it.
set(DEVMAP_VERSION_DATE 2026-11-26)
set(DEVMAP_PAGES "devmap-conformance(8)" "devmap-bench(8)" "devmap-vm(1)" "devmap-report(1)")
set(DEVMAP_ZSH_COMPLETIONS_DIR "${CMAKE_INSTALL_DATADIR}/zsh/site-functions" CACHE STRING
    "Where completions for zsh are installed")

# Installs a program, and makes and installs its manual. COMMANDS are those that read a command line of their own, so that
# the program's does not tell of them.
function(devmap_install_program target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "COMMANDS")
  if(NOT DEVMAP_INSTALL)
    return()
  endif()
  install(TARGETS ${target} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT programs)
  # Made by running the program.
  if(CMAKE_CROSSCOMPILING)
    return()
  endif()
  string(REGEX MATCH "${target}\\(([1-8])\\)" page "${DEVMAP_PAGES}")
  set(section ${CMAKE_MATCH_1})
  set(directory ${PROJECT_BINARY_DIR}/manual)
  set(page ${directory}/${target}.${section})
  add_custom_command(OUTPUT ${page} ${directory}/${target}.bash ${directory}/_${target} ${directory}/${target}.fish
    COMMAND ${CMAKE_COMMAND} -DPROGRAM=$<TARGET_FILE:${target}> "-DCOMMANDS=${arg_COMMANDS}"
            -DMANUAL=$<TARGET_FILE:devmap-manual> -DDIRECTORY=${directory} -DSECTION=${section}
            "-DSOURCE=devmap-conformance ${PROJECT_VERSION}" -DDATE=${DEVMAP_VERSION_DATE} "-DSEE_ALSO=${DEVMAP_PAGES}"
            -P ${PROJECT_SOURCE_DIR}/harness/cmake/manual.cmake
    DEPENDS ${target} devmap-manual ${PROJECT_SOURCE_DIR}/harness/cmake/manual.cmake
    COMMENT "Manual of ${target}"
    VERBATIM)
  add_custom_target(${target}-manual ALL DEPENDS ${page})
  install(FILES ${page} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section} COMPONENT programs)
  install(FILES ${directory}/${target}.bash RENAME ${target}
          DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions COMPONENT programs)
  install(FILES ${directory}/_${target} DESTINATION ${DEVMAP_ZSH_COMPLETIONS_DIR} COMPONENT programs)
  install(FILES ${directory}/${target}.fish
          DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d COMPONENT programs)
endfunction()
