# What zsh offers for a line: DIRECTORY LINE. Only a shell with a terminal completes; this one is given one.
zmodload zsh/zpty
zpty shell zsh -f -i
send() { zpty -w shell "$1" }
send "PS1= fpath=($1 \$fpath) TERM=dumb"
send 'autoload -Uz compinit; compinit -u -D; unsetopt zle_bracketed_paste 2>/dev/null; LISTMAX=0'
# Every match that is offered is told, in a line of its own.
send 'compadd() { local -a offered; builtin compadd -A offered "$@"; print -rl -- "<"$^offered">"; builtin compadd "$@" }'
send "zstyle ':completion:*' list-prompt ''; bindkey '^I' complete-word; print READY"
zpty -r -m shell discarded '*READY*'
zpty -w -n shell "$2"$'\t'
zpty -w shell $'\C-u'
zpty -w shell 'print DO''NE'
zpty -r -m shell offered '*DONE*'
print -r -- "$offered" | tr -d '\r' | sed -n 's/.*<\(.*\)>.*/\1/p'
