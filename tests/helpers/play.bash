#!/usr/bin/env bash
# play.bash DIR NAME: runs what examples.awk made of an example, in the current directory, and compares
# what each terminal shows with what the page does. Status 1, and both texts, if that differs.
# What runs in the background is waited for until it listens, and is ended at the end.
# shellcheck disable=SC2317 # the commands of an example call these
set -m # a job can be ended with all that it has started
dir=$1 name=$2
jobs=() ending=()
: >"$dir/$name.me"

# In this shell: what one command sets is there for the next.
run() {
    local result=0
    terminal=$dir/$name.$1
    [ -e "$terminal" ] || : >"$terminal"
    eval "status $last; $2" >>"$terminal" 2>&1 || result=$?
    last=$result
}
last=0
status() { return "$1"; }

# Whoever listens says so to NOTIFY_SOCKET, whose datagrams are in $dir/ready; a program of docs/lab, and a client with
# -v, in the terminal.
background() {
    local ready
    ready=$(<"$dir/ready")
    : >>"$dir/$name.$1"
    eval "$2" >>"$dir/$name.$1" 2>&1 &
    jobs+=($!)
    # A server for one client ends with it.
    [[ $2 =~ (echo|fork|print|udp)-server|unix-serve|\ -k|\ --(to|broker|chat) ]] || ending+=($!)
    until_true begun "${#ready}" "$dir/$name.$1" || echo "play: this does not listen: $2" >>"$dir/$name.$1"
}
begun() {
    local ready
    ready=$(<"$dir/ready")
    ((${#ready} > $1)) || [[ $(<"$2") =~ 'connected to '|'listening on ' ]]
}

gone() {
    local stat
    ! read -r stat 2>/dev/null <"/proc/$1/stat" || [[ ${stat##*) } == Z* ]]
}

# until_true CMD…: for 10 seconds.
until_true() {
    local end=$((${EPOCHREALTIME/[.,]/} + 10000000)) _
    until "$@"; do
        ((${EPOCHREALTIME/[.,]/} < end)) || return 1
        read -rt 0.01 -u "$pause" _
    done
    return 0 # rather than that of the pause
}
exec {pause}<> <(:)

# Every terminal shows what it should.
shown() {
    local want text
    for want in "$dir/$name".*.want; do
        text=$(<"${want%.want}")
        text=${text//$'\r'/}
        text=${text%"${text##*[!$'\n']}"}
        [[ $text =~ ^$(<"$want")$ ]] || { wrong=${want%.want}; return 1; }
    done
}

# shellcheck source=/dev/null
. "$dir/$name.sh"
until_true shown || :
for job in "${ending[@]}"; do until_true gone "$job"; done
exec 2>/dev/null
for job in "${jobs[@]}"; do kill -TERM -- "-$job"; done
for job in "${jobs[@]}"; do wait "$job"; done
shown && exit
echo "$name: $wrong differs: it has to be like"
cat "$wrong.want"
echo '--- and it is'
cat "$wrong"
exit 1
