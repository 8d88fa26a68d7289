# Writes the man page and the completions of a program. Arguments: PROGRAM, COMMANDS (a list), MANUAL (devmap-manual),
# DIRECTORY, SECTION, SOURCE, DATE, SEE_ALSO (a list).
get_filename_component(name ${PROGRAM} NAME)
file(MAKE_DIRECTORY ${DIRECTORY})
set(files)
foreach(command IN LISTS COMMANDS ITEMS "")
  set(file ${DIRECTORY}/${name}${command}.json)
  execute_process(COMMAND ${PROGRAM} ${command} --help-json OUTPUT_FILE ${file} COMMAND_ERROR_IS_FATAL ANY)
  # The program's own comes first.
  if(command STREQUAL "")
    list(PREPEND files ${file})
  else()
    list(APPEND files ${file})
  endif()
endforeach()
set(see_also)
foreach(page IN LISTS SEE_ALSO)
  list(APPEND see_also --see-also ${page})
endforeach()
execute_process(COMMAND ${MANUAL} ${files} --directory ${DIRECTORY} --section ${SECTION} --source ${SOURCE} --date ${DATE}
                        ${see_also} COMMAND_ERROR_IS_FATAL ANY)
