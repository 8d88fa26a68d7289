# Run by cpack for the tree of each component, before it becomes a Debian package.
file(GLOB trees LIST_DIRECTORIES true "${CPACK_TEMPORARY_INSTALL_DIRECTORY}/*")
foreach(tree IN LISTS trees)
  get_filename_component(component ${tree} NAME)
  if(NOT IS_DIRECTORY ${tree}/usr OR NOT DEFINED CPACK_DEBIAN_PROGRAMS_PACKAGE_NAME)
    continue()
  endif()
  string(TOUPPER ${component} upper)
  set(package ${CPACK_DEBIAN_${upper}_PACKAGE_NAME})

  # Without name and time, so that the same source gives the same package.
  file(GLOB_RECURSE pages ${tree}/usr/share/man/*.[1-8])
  foreach(page IN LISTS pages)
    execute_process(COMMAND gzip -9nf ${page} COMMAND_ERROR_IS_FATAL ANY)
  endforeach()

  set(upstream_zsh ${tree}/usr/${CPACK_DEVMAP_ZSH_COMPLETIONS_DIR})
  if(EXISTS ${upstream_zsh} AND NOT EXISTS ${tree}/usr/share/zsh/vendor-completions)
    file(RENAME ${upstream_zsh} ${tree}/usr/share/zsh/vendor-completions)
  endif()

  set(documents ${tree}/usr/share/doc/${package})
  file(MAKE_DIRECTORY ${documents})
  file(COPY ${CPACK_DEVMAP_DEBIAN_FILES}/copyright DESTINATION ${documents} FILE_PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
  execute_process(COMMAND date -R -u -d ${CPACK_DEVMAP_DATE} OUTPUT_VARIABLE date OUTPUT_STRIP_TRAILING_WHITESPACE
                  COMMAND_ERROR_IS_FATAL ANY)
  file(WRITE ${documents}/changelog "${package} (${CPACK_PACKAGE_VERSION}) unstable; urgency=medium

  * Version ${CPACK_PACKAGE_VERSION}.

 -- ${CPACK_PACKAGE_CONTACT}  ${date}
")
  execute_process(COMMAND gzip -9nf ${documents}/changelog COMMAND_ERROR_IS_FATAL ANY)
  set(overrides ${CPACK_DEVMAP_DEBIAN_FILES}/${package}.lintian-overrides)
  if(EXISTS ${overrides})
    configure_file(${overrides} ${tree}/usr/share/lintian/overrides/${package} COPYONLY)
  endif()
endforeach()
