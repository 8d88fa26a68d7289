# What zsh offers for a line: DIRECTORY LINE. Only a shell with a terminal completes; this one is given one.
zmodload zsh/zpty
zpty shell zsh -f -i
send() { zpty -w shell "$1" }
send "PS1= fpath=($1 \$fpath) TERM=dumb LISTMAX=0"
send 'autoload -Uz compinit; compinit -u -D'
# Every match that is offered is told, in a line of its own.
send 'compadd() { local -a offered; builtin compadd -A offered "$@"; print -rl -- "<"$^offered">"; builtin compadd "$@" }'
send "tell() { zle complete-word; print DO''NE }; zle -N tell; bindkey '^I' tell"
# Told once the editor reads keys: before that, the terminal itself would take some for its own.
send "zle-line-init() { print REA''DY }; zle -N zle-line-init"
zpty -r -m shell discarded '*READY*'
zpty -w -n shell "$2"$'\t'
zpty -r -m shell offered '*DONE*'
print -r -- "$offered" | tr -d '\r' | sed -n 's/.*<\(.*\)>.*/\1/p'
