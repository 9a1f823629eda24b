# shellcheck shell=bash
#
# Examples of the manual pages, run as they are printed: see examples.awk and play.bash.
#
#     PAGE=sockctl-cookbook.7
#     ports 22 80
#     before_send_file() { … }     # its world, if it needs one
#     play send-file …             # each of them; after_send_file checks what is left

# Each name of a machine is this one.
NAMES='host=127.0.0.1 server=127.0.0.1 receiver=127.0.0.1 relay=127.0.0.1 db=127.0.0.1 cache=127.0.0.1
    mail=127.0.0.1 web=127.0.0.1 proxy=127.0.0.1'

# ports PORT…: each port that the page prints becomes one that is free now; in P, by the printed one.
# They are below those that the kernel gives to connections, so that none of them is taken by chance.
ports() {
    local port base _
    declare -gA P=()
    for _ in {1..50}; do
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
        # shellcheck disable=SC2154 # set by try
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

# What the examples ask, at the port that the page prints.

# serve NAME ADDRESS ARGS…: sockctl as NAME, until the example has ended.
serve() {
    start "$1" "$SOCKCTL" listen -v -k "${@:3}" "$2"
    listening "$1"
}
end_server() { kill -TERM -- "-${PIDS[$1]}" && until_gone "${PIDS[$1]}" 5000; }

ssh_server() { serve ssh "0.0.0.0:${P[22]}" --greeting 'SSH-2.0-OpenSSH_9.2\r\n'; }
mail_server() {
    cat >"$T/mail" <<'SCRIPT'
printf '220 mail.example.com ESMTP\r\n'
while read -r word _; do
    case $word in
        EHLO) printf '250-mail\r\n250 SIZE 1000\r\n' ;;
        QUIT*) printf '221 bye\r\n'; exit ;;
    esac
done
SCRIPT
    serve mail "127.0.0.1:${P[25]}" -c "sh $T/mail"
}
database() { serve db "127.0.0.1:${P[5432]}" -c 'echo welcome to the database'; }
cache() { serve cache "127.0.0.1:${P[6379]}" -c 'read -r word && printf "+PONG\r\n"'; }
echo_server() {
    start "$1" "$SOCKCTL" echo-server -v "${@:3}" "$2"
    listening "$1"
}

# A web server that answers once; it is ill where there is $T/ill.
web_server() { web_script && serve web "127.0.0.1:${P[8080]}" -c "sh $T/web"; }
web_script() {
    cat >"$T/web" <<'SCRIPT'
ok() { printf 'HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n' "$1"; }
read -r method path _ || exit
length=0 login=
while read -r name value && [ "$name" != "$(printf '\r')" ]; do
    case $name in
        Content-Length:) length=1 ;;
        Authorization:) login=$value ;;
    esac
done
[ $length = 0 ] || dd bs=3 count=1 of=/dev/null 2>/dev/null
case $path in
    /old) printf 'HTTP/1.0 301 Moved\r\nLocation: /health\r\nContent-Length: 0\r\n\r\n' ;;
    /disk.tar) ok 20480; cat "$0.disk" ;;
    /page) ok 6; [ "$method" = HEAD ] || echo hello ;;
    /private) [ "$login" = 'Basic bWU6c2VjcmV0'"$(printf '\r')" ] && ok 12 && echo 'welcome, me' ;;
    /nosuch) printf 'HTTP/1.0 404 Not Found\r\nContent-Length: 0\r\n\r\n' ;;
    /health)
        [ ! -e "${0%/*}/ill" ] || { printf 'HTTP/1.0 503 Service Unavailable\r\n\r\n'; exit; }
        ok 3
        [ "$method" = HEAD ] || echo ok
        ;;
    *) ok 3; [ "$method" = HEAD ] || echo ok ;;
esac
SCRIPT
    disk "$T/web.disk"
}
disk() { head -c 20480 /dev/zero | tr '\0' x >"$1"; }

app() {
    printf '#!/bin/sh\necho app: connected\n' >app
    chmod +x app
}

proxies() {
    serve page "127.0.0.1:${P[80]}" -c 'echo Hello, world.'
    cat >"$T/connect" <<'SCRIPT'
dd bs=512 count=1 2>/dev/null >"$0.asked"
grep -q 'Proxy-Authorization: Basic bWU6c2VjcmV0' "$0.asked" || exit 1
printf 'HTTP/1.1 200 Go on\r\n\r\n'
exec "$SOCKCTL" connect 127.0.0.1 "$1"
SCRIPT
    socks_server
    serve connect "127.0.0.1:${P[3128]}" -c "sh $T/connect ${P[80]}"
}

# socks_server [PORT]: whatever is asked for, it connects to PORT.
# shellcheck disable=SC2120 # in the tests one is
socks_server() {
    cat >"$T/socks" <<'SCRIPT'
dd bs=512 count=1 2>/dev/null >/dev/null; printf '\5\0'
dd bs=512 count=1 2>/dev/null >"$0.asked"; printf '\5\0\0\1\0\0\0\0\0\0'
exec "$SOCKCTL" connect 127.0.0.1 "$1"
SCRIPT
    serve socks "127.0.0.1:${P[1080]}" -c "sh $T/socks ${1:-${P[80]}}"
}

# What is run, and what cannot be, by name.
all_played() {
    sed -n 's/^ *play //p' "$BATS_TEST_FILENAME" | tr ' ' '\n'
    # shellcheck disable=SC2001 # of each line
    sed 's/:.*//' <<<"$NOT_HERE"
}

# Of a page on stdin, each display has a name.
named_displays() {
    awk '/^\.Bd / && last !~ /^\.\\" run: / { print "no name after: " last; wrong = 1 } { last = $0 } END { exit wrong }'
}
