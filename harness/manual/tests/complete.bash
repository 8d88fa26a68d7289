# What bash offers for a line: DIRECTORY LINE
line=$2
program=${line%% *}
# shellcheck disable=SC1090 # of the program that is asked about
source "$1/$program.bash"
# Only while a line is edited can options of a completion be set.
compopt() { :; }
read -ra COMP_WORDS <<<"$line"
[[ $line != *' ' ]] || COMP_WORDS+=('')
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
COMP_LINE=$line
COMP_POINT=${#line}
"_${program//-/_}"
printf '%s\n' "${COMPREPLY[@]}"
