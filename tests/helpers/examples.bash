# shellcheck shell=bash
#
# Examples of the manual pages, run as they are printed: see examples.awk and play.bash.
#
#     PAGE=sockctl-cookbook.7
#     ports 22 80
#     names host=127.0.0.1
#     before_send_file() { … }     # its world, if it needs one
#     play send-file …             # each of them; after_send_file checks what is left

# ports PORT…: each port that the page prints becomes one that is free now; in P, by the printed one.
# They are below those that the kernel gives to connections, so that none of them is taken by chance.
ports() {
    local port base tries
    declare -gA P=()
    for tries in {1..50}; do
        base=$((10000 + RANDOM % 20000))
        untraced all_free "$base" $# && break
    done
    REPLACE=
    for port; do
        P[$port]=$((base++))
        REPLACE+=" $port=${P[$port]}"
    done
}

all_free() {
    local port
    for ((port = $1; port < $1 + $2; port++)); do
        ! { : <>"/dev/tcp/127.0.0.1/$port"; } 2>/dev/null || return 1
    done
}

# play NAME…: each example in a directory of its own.
play() {
    local name function
    [ -d "$T/plays" ] || open_plays
    for name; do
        [ -e "$T/plays/$name.sh" ] || fail "$PAGE has no example $name" || return
        function=${name//-/_}
        mkdir "$T/plays/$name"
        cd "$T/plays/$name" || return
        [ "$(type -t "before_$function")" != function ] || "before_$function" || return
        NOTIFY_SOCKET=$T/plays/notify TRY_SECONDS=20 PATH=${SOCKCTL%/*}:$PATH try bash "$HELPERS/play.bash" "$T/plays" "$name"
        [ "$status" -eq 0 ] || show_results "$PAGE, $name" || return
        [ "$(type -t "after_$function")" != function ] || "after_$function" || return
        cd "$T" || return
    done
}

# The scripts, and who hears from servers that they listen.
open_plays() {
    mkdir "$T/plays"
    awk -v dir="$T/plays" -v replace="$REPLACE $NAMES" -f "$HELPERS/examples.awk" "$ROOT/man/$PAGE"
    start notify "$SOCKCTL" listen -v -u -k "$T/plays/notify"
    listening notify
    ln "$T/notify.out" "$T/plays/ready"
}
