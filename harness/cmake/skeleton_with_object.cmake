# Writes a libbpf skeleton with another BPF object file in place of the one in it.
#
#   cmake -DSKELETON=FILE -DOBJECT=FILE -DOUTPUT=FILE -P skeleton_with_object.cmake
file(READ ${SKELETON} skeleton)
file(READ ${OBJECT} bytes HEX)
file(SIZE ${OBJECT} size)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "\\\\x\\1" bytes "${bytes}")
# The object stands in the skeleton as one literal, after its size.
set(object_in_it "\\*sz = [0-9]+;[ \t\n]*return \\(const void \\*\\)\"\\\\[^\"]*\";")
string(REGEX MATCHALL "${object_in_it}" found "${skeleton}")
list(LENGTH found count)
if(NOT count EQUAL 1)
  message(FATAL_ERROR "${SKELETON} is no skeleton with one object file in it, as bpftool makes them")
endif()
string(REGEX REPLACE "${object_in_it}" "*sz = ${size};\n\treturn (const void *)\"${bytes}\";" skeleton "${skeleton}")
file(WRITE ${OUTPUT} "${skeleton}")
