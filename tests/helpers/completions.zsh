# completions.zsh DIRECTORY LINE…: what zsh offers in place of the last word of each line; see completions.bash.
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "stty -echo; PS1= fpath=(${(q)1} \$fpath) TERM=dumb
autoload -Uz compinit && compinit -D -u
zstyle ':completion:*' verbose no
offer-all() { _main_complete; compstate[insert]=all }
zle -C offer-all complete-word offer-all
bindkey '^G' offer-all
show-line() { print -r -- \"<\$BUFFER>END\"; zle kill-buffer }
zle -N show-line
bindkey '^X' show-line
echo READ''Y"
zpty -r -m shell text '*READY*'
shift
for line; do
    zpty -n -w shell $line$'\x07\x18'
    zpty -r -m shell text '*>END*'
    [[ $text != *'not found'* && $text != *'bad '* ]] || print -ru2 -- $text
    words=(${(z)${${text##*<}%%>END*}})
    typed=(${(z)line})
    [[ $line != *' ' ]] || typed+=('')
    print -r -- ${(pj:\x1f:)${(Q)words[$#typed,-1]}}
done
