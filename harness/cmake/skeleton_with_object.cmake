# Writes a libbpf skeleton with another BPF object file in place of the one in it.
#
#   cmake -DSKELETON=FILE -DOBJECT=FILE -DOUTPUT=FILE -P skeleton_with_object.cmake
file(READ ${SKELETON} skeleton)
file(READ ${OBJECT} bytes HEX)
file(SIZE ${OBJECT} size)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "\\\\x\\1" bytes "${bytes}")
# The object stands in the skeleton as one literal, after its size.
string(REGEX MATCH "\\*sz = [0-9]+;[ \t\n]*return \\(const void \\*\\)\"\\\\[^\"]*\";" object_in_it "${skeleton}")
if("${object_in_it}" STREQUAL "")
  message(FATAL_ERROR "${SKELETON} is no skeleton with an object file in it, as bpftool makes them")
endif()
string(REPLACE "${object_in_it}" "*sz = ${size};\n\treturn (const void *)\"${bytes}\";" skeleton "${skeleton}")
file(WRITE ${OUTPUT} "${skeleton}")
