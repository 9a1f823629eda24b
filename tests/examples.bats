#!/usr/bin/env bats
# The EXAMPLES of the manual pages, run as they are printed; those of sockctl-cookbook(7) are in
# cookbook.bats.

load helpers/common
load helpers/examples

setup() {
    common_setup
    ports 22 80 81 1080 1300 3128 3490 4000 5000 5140 5432 6379 7777 8000 8080 8081 8100 9000 9999
    NAMES='host=127.0.0.1 server=127.0.0.1 receiver=127.0.0.1 relay=127.0.0.1 db=127.0.0.1 cache=127.0.0.1
        web=127.0.0.1 proxy=127.0.0.1'
}

# serve NAME ADDRESS ARGS…: sockctl listen -k as NAME.
serve() {
    start "$1" "$SOCKCTL" listen -v -k "${@:3}" "$2"
    listening "$1"
}

# A web server at 8080 that answers everything with 200, and closes only when the client does.
web() {
    cat >"$T/web" <<'SCRIPT'
while read -r line && [ "$line" != "$(printf '\r')" ]; do :; done
printf 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n'
SCRIPT
    serve web "127.0.0.1:${P[8080]}" -c "sh $T/web"
}

@test "sockctl(1)" {
    PAGE=sockctl.1
    play hello free-port calls localhost arguments
    web
    play no-answer
}

# names_of PAGE: the examples in it.
names_of() { sed -n 's/^\.\\" run: //p' "$ROOT/man/$1"; }

@test "every example is run" {
    for page in "$ROOT"/man/*.1; do names_of "${page##*/}"; done | sort >examples
    sed -n 's/^ *play //p' "$BATS_TEST_FILENAME" | tr ' ' '\n' | sort >run
    diff examples run
}
