#!/usr/bin/env bats
# What the shells complete, each line of it in real shells.

load helpers/common
load helpers/completions
export LOOPBACK=no

setup() {
    common_setup
    mkdir empty "$T/bin" # for what is completed as a path
    cd empty || return
    touch data.txt
    mkdir directory
    ln -s "$SOCKCTL" "$T/bin/sockctl"
    printf '#!/bin/sh\n' >"$T/bin/fixture-program"
    chmod +x "$T/bin/fixture-program"
    PATH=$T/bin:$PATH
}

# offers SHELL: each line of stdin is LINE|WORDS, and the shell offers these words.
offers() {
    local line words lines=() expected=() results wrong=0
    while IFS='|' read -r line words; do
        lines+=("$line")
        expected+=("$words")
    done
    mapfile -t results < <(offered "$1" "${lines[@]}")
    for line in "${!lines[@]}"; do
        [ "${results[line]}" = "${expected[line]}" ] && continue
        printf '%s: %s\n  is offered:  %s\n  and not: %s\n' "$1" "${lines[line]}" "${results[line]}" "${expected[line]}" >&2
        wrong=1
    done
    [ "$wrong" = 0 ] || cat shell.err >&2
    return $wrong
}

# What every shell offers. Options and commands may be cut short, a value may follow `=`.
in_every_shell() {
    cat <<'LINES'
sockctl li|listen
sockctl unix-se|unix-send unix-serve
sockctl help ec|echo-server
sockctl li --keep-o|--keep-open
sockctl unix-serve --framing |line native netstring u32be
sockctl unix-ser --framing=n|native netstring
sockctl e --mode |chargen daytime discard echo
sockctl listen --mode 06|0600 0660 0666
sockctl resolve -t C|CAA CDNSKEY CDS CERT CNAME CSYNC
sockctl resolve -t M|MX
sockctl connect --tos af1|af11 af12 af13
sockctl connect --tos=crit|critical
sockctl c -4n --tos lowd|lowdelay
sockctl listen --log |json
sockctl http-get --timing=|json
sockctl connect --interface l|lo
sockctl connect raw:ig|igmp
sockctl connect raw:ipv|ipv6-icmp
sockctl listen raw:ig|igmp
sockctl listen --allow-uid roo|root
sockctl connect -o da|data.txt
sockctl connect --output=da|data.txt
sockctl connect --hex-dump dir|directory
sockctl connect -w |
sockctl connect --expect |
sockctl listen -e fixture|fixture-program
sockctl listen --exec=fixture|fixture-program
sockctl connect -z h:1 -- fixture|fixture-program
sockctl listen --run 80 -- fixture|fixture-program
sockctl con -z h:1 -- sockctl re|resolve
sockctl listen -e sockctl 80 -- li|listen
sockctl connect -z h:1 -- cat da|data.txt
sockctl connect --help pro|probes programs proxy
sockctl li -h pro|programs
sockctl help con pro|probes programs proxy
LINES
}

# With the package netbase and a host that everybody has.
of_the_system() {
    need /etc/services
    grep -qw localhost /etc/hosts || skip "localhost is not in /etc/hosts"
    cat <<'LINES'
sockctl connect localho|localhost
sockctl connect -4 localho|localhost
sockctl resolve localho|localhost
sockctl listen --to localho|localhost
sockctl connect raw:icmp:localho|localhost
sockctl connect icmp:localho|localhost
sockctl connect localhost imap|imap2 imaps
sockctl connect localhost:imap|imap2 imaps
sockctl connect -z localhost 80 imap|imap2 imaps
sockctl connect -p imap|imap2 imaps
sockctl listen imap|imap2 imaps
sockctl listen :imap|imap2 imaps
sockctl listen --port=imap|imap2 imaps
sockctl resolve -P imap|imap2 imaps
sockctl http-get http://localho|//localhost
LINES
}

# Of files, where a socket is meant.
of_sockets() {
    need python3
    python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("so.sock")'
    cat <<'LINES'
sockctl unix-send so|so.sock
sockctl unix-send so.sock so|
sockctl unix-serve ./|./directory ./so.sock
sockctl connect -U so|so.sock
sockctl connect ./|./directory ./so.sock
sockctl connect unix:so|so.sock
sockctl listen 80 --to unix-dgram:so|so.sock
sockctl http-get --unix-socket so|so.sock
LINES
}

@test "15.6: bash completes commands, options and values" { in_every_shell | offers bash; }

@test "15.6: bash completes hosts and ports, without bash-completion" { of_the_system >"$T/rows" && offers bash <"$T/rows"; }

@test "15.6: bash completes the files of sockets" { of_sockets >"$T/rows" && offers bash <"$T/rows"; }

@test "15.6: bash with bash-completion completes all of that, and other programs after --" {
    need /usr/share/bash-completion/bash_completion
    { in_every_shell && of_the_system && of_sockets && echo 'sockctl connect -z h:1 -- kill -s USR|USR1 USR2'; } >"$T/rows"
    offers bash-completion <"$T/rows"
}

@test "15.6: zsh completes commands, options and values" {
    need zsh
    in_every_shell | offers zsh
}

@test "15.6: zsh completes hosts, ports and the files of sockets, and other programs after --" {
    need zsh
    { of_the_system && of_sockets && echo 'sockctl connect -z h:1 -- kill -s USR|USR1 USR2'; } >"$T/rows"
    offers zsh <"$T/rows"
}

@test "15.6: fish completes commands, options and values" {
    need fish
    in_every_shell | offers fish
}

@test "15.6: fish completes hosts, ports and the files of sockets" {
    need fish
    { of_the_system && of_sockets; } >"$T/rows"
    offers fish <"$T/rows"
}

@test "12.1: no shell complains, and fish has each letter" {
    need fish
    offered fish 'sockctl connect -' >"$T/offers"
    [ ! -s shell.err ] || fail 'it complains' shell.err
    letters=$("$SOCKCTL" --table | awk -F '\t' '$1 == "connect" && $2 != "" { print "-" $2 }' | sort | paste -sd ' ' -)
    [ "$(tr ' ' '\n' <"$T/offers" | grep -x -- '-[^-]' | sort | paste -sd ' ' -)" = "$letters" ] ||
        fail 'some letters are missing' "$T/offers"
}

@test "15.6: each option that takes a value has a kind; one without is named" {
    mkdir current
    try "$ROOT/tests/checks/gen-completions" current
    assert_status 0
    [ -z "$errors" ] || show_results 'it complains'
    cp -r "$ROOT/tests/checks" checks
    sed -i '/^TIME /d; /^resolve /d' checks/completion/kinds
    try checks/gen-completions current
    assert_status 1
    assert_errors '^completion/kinds has no row for connect --wait TIME$'
    assert_errors '^completion/kinds has no row for the operands of resolve$'
}

@test "15.6: the kinds name no option and no word that is not there" {
    kinds=$ROOT/tests/checks/completion/kinds
    for option in $(sed -n 's/^\(--[a-z-]*\) .*/\1/p' "$kinds"); do
        "$SOCKCTL" --table | cut -f 3 | grep -qx -- "${option#--}" || fail "no command has $option"
    done
    # words NAME COMMAND…: each word of that row is taken: whatever goes wrong is no usage error.
    words() {
        local name=$1 word
        shift
        for word in $(sed -n "s/^$name *word //p" "$kinds"); do
            try "${@//WORD/$word}"
            [ "$status" -ne 2 ] || show_results "$word of $name is refused"
        done
    }
    words VALUE "$SOCKCTL" connect --tos WORD fd:99
    words FRAMING "$SOCKCTL" unix-send --framing WORD /nonexistent/socket x
    words SERVICE "$SOCKCTL" echo-server --mode WORD unix:/nonexistent/socket
    words OCTAL "$SOCKCTL" unix-serve --mode WORD /nonexistent/socket
    # And none is missing. The source has the types of records, with their forms; obsolete and rare ones are not offered.
    obsolete='AVC|DLV|L32|L64|LP|MB|MD|MF|MG|MINFO|MR|NID|NINFO|NSAP-PTR|PX|RESINFO|RT|SIG|TA|TALINK|WALLET|X25'
    types=$(sed -nE 's/^ *\{[A-Z_0-9]+, "([A-Z0-9-]+)", "[^"]+"\},$/\1/p' "$ROOT/src/proto/dns_data.c" | grep -vxE "$obsolete" |
        sort | paste -sd ' ' -)
    [ "$(sed -n 's/^TYPE *word //p' "$kinds" | tr ' ' '\n' | sort | paste -sd ' ' -)" = "$types" ] || fail "the types are $types"
    framings=$(sed -n 's/^ *\.name = "\(.*\)",/\1/p' "$ROOT/src/proto/frame.c" | paste -sd ' ' -)
    [ "$(sed -n 's/^FRAMING *word //p' "$kinds")" = "$framings" ] || fail "the framings are $framings"
}
