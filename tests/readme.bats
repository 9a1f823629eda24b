#!/usr/bin/env bats
# README.md says what is so: its sessions are run, and its tables measured again. `make readme` puts there what is so now.

load helpers/common
export LOOPBACK=no

setup() {
    common_setup
    SESSIONS=$ROOT/tests/checks/sessions
}

need_network() {
    need python3 bash unshare
    unshare -rnm true 2>/dev/null || skip "this machine does not let us make namespaces"
}

@test "15.7: the sessions of README.md print what stands there" {
    need_network
    need seq cmp tr
    TRY_SECONDS=50 try "$SESSIONS" --check "$ROOT/README.md"
    assert_status 0
    assert_output ""
}

@test "15.7: a session that prints something else is found" {
    need_network
    # shellcheck disable=SC2016 # of the session
    printf '%s\n' 'A page.' '```console' '$ sockctl resolve db' 'name      cache' 'address   127.0.0.2   IPv4' '```' >page
    try "$SESSIONS" --check page
    assert_status 1
    [[ $output == *$'-name      cache\n+name      db'* ]] || show_results 'it is not shown'
    try "$SESSIONS" --write page
    try "$SESSIONS" --check page
    assert_status 0
}

@test "15.7: the recording is the first session" {
    need_network
    session() { sed -n '/^```console/,/^```$/p;/^```$/q' "$ROOT/README.md" | sed '1d;$d'; }
    alike() { sed -E 's/:[3-6][0-9]{4}/:PORT/; s/[0-9]{5,}/COUNT/'; }
    sed -nE '/^<text/{s/<[^>]*>//g; s/&quot;/"/g; s/&#x27;/'"'"'/g; s/&lt;/</g; s/&gt;/>/g; s/&amp;/\&/g; p}' \
        "$ROOT/docs/session.svg" | alike >drawn
    session | alike | diff - drawn
    # It is made anew in the same way.
    try "$SESSIONS" --svg new.svg "$ROOT/README.md"
    assert_status 0
    diff <(alike <new.svg) <(alike <"$ROOT/docs/session.svg")
}

@test "15.7: the tables of README.md are what make compare measures" {
    need python3
    has_host 127.0.0.1 || skip "there is no loopback network"
    TRY_SECONDS=50 try "$ROOT/tests/bench/compare" --check "$ROOT/README.md"
    assert_status 0
    assert_output ""
}

@test "15.7: make compare names what is not installed, and leaves it out" {
    need python3
    has_host 127.0.0.1 || skip "there is no loopback network"
    TRY_SECONDS=50 try env PATH=/nonexistent "$(python3 -c 'import sys; print(sys.executable)')" "$ROOT/tests/bench/compare"
    assert_status 0
    for program in nc ncat socat curl; do assert_errors "^compare: $program is not installed: its column is left out\$"; done
    [ "${lines[0]}" = '| what happens | sockctl |' ] || show_results 'this is another table'
    [[ $output == *'| the body ends early | 7 |'* ]] || show_results 'this is another table'
}
