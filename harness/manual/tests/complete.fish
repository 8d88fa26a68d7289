# What fish offers for a line: DIRECTORY LINE
set -l program (string split ' ' -- $argv[2])[1]
source $argv[1]/$program.fish
complete --do-complete "$argv[2]" | string replace -r '\t.*' ''
# Not that of `string replace`, which fails where there was no description to take away.
exit 0
