# Writes OUTPUT: for each of FINDINGS a line with its name, and its text up to a form feed.
set(all "")
string(ASCII 12 form_feed)
foreach(file IN LISTS FINDINGS)
  cmake_path(GET file STEM name)
  file(READ ${file} text)
  string(APPEND all "${name}\n${text}${form_feed}")
endforeach()
file(WRITE ${OUTPUT} "${all}")
