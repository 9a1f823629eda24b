#!/usr/bin/env bats
# The examples of sockctl-tutorial(7), in English and in Spanish, run as they are printed.

# shellcheck disable=SC2034 # helpers/examples.bash reads what is set here
load helpers/common
load helpers/examples
load helpers/lab

NOT_HERE='sockaddr-in: a structure, no command
print-all: a piece of a program, which print-server.c has'

PORTS=(3490 8080 9999)

# lesson NAME…: each example, in both languages, which have ports of their own: some are in TIME_WAIT afterwards.
lesson() {
    local name
    for PAGE in sockctl-tutorial.7 es/man7/sockctl-tutorial.7; do
        [ -e "$ROOT/man/$PAGE" ] || continue
        rm -rf plays
        ports "${PORTS[@]}"
        for name; do play "$name" || return; done
    done
}

before_lab_server() { lab tcp-server; }
before_lab_client() { lab tcp-client; }
before_datagrams() { lab udp-server udp-client; }
before_lost() { lab udp-client; }
before_sockaddrs() { lab addrinfo; }
before_hostent() { lab hostent; }
before_addrinfo() { lab addrinfo; }
before_messages() { lab message-server; }
before_messages_back() { lab message-client; }
before_echo_server() { lab unix-echo-server; }
before_echo_client() { lab unix-echo-client; }
before_echo_much() { lab unix-echo-server; }
before_http_hand() { lab get; }
before_fork() { lab fork-server fork-client; }
before_time_wait() { lab tcp-server; }
before_hasty() { ln -sfn "$ROOT/docs" "$T/docs"; }
before_print_server() { lab print-server; }

@test "1 to 3: what a socket is, the calls, both ends" {
    lesson no-server calls two-ends lab-server lab-client
}

@test "4 to 7: counts, the kernel's record, addresses, the end" {
    need ss
    lesson counts record sockaddrs end
}

@test "8 and 9: datagrams and names" {
    lesson datagrams lost hostent addrinfo
}

@test "10 to 12: byte order, messages, an echo" {
    PORTS=() # 8080 is a number here
    lesson byte-order native big-endian messages messages-back echo-server echo-client echo-much
}

@test "13 and 14: HTTP, many clients" {
    lesson http-hand http-typed fork fork-seen event-loop
}

@test "15: what closes first is in TIME_WAIT" {
    need ss
    lesson time-wait
}

@test "15: a server without SO_REUSEADDR" {
    lesson hasty
}

@test "16: raw sockets, in a network where we may have them" {
    need unshare nsenter ip
    unshare -rn ip link set lo up 2>"$T/why" || skip "no network namespace can be made: $(<"$T/why")"
    start network unshare -rn sh -c 'ip link set lo up && echo up >&2 && exec sleep 60'
    wait_line network '^up'
    mkdir bin
    printf '#!/bin/sh\nexec nsenter --preserve-credentials -U -n -t %d "$@"\n' "${PIDS[network]}" >bin/sudo
    chmod +x bin/sudo
    PATH=$T/bin:$PATH
    before_raw() { lab ping; }
    lesson raw
}

@test "17: the exercises' answers" {
    lesson print-server
    grep -qF "$(sed -n '/^while/,/^ /p' "$ROOT/man/sockctl-tutorial.7" | head -n 1)" "$ROOT/docs/lab/print-server.c"
}

@test "every example is run, or has a reason not to be, and both languages have the same" {
    sed 's/^ *lesson /play /' "$BATS_TEST_FILENAME" >tests
    BATS_TEST_FILENAME=tests all_played | sort >run
    for page in sockctl-tutorial.7 es/man7/sockctl-tutorial.7; do
        [ -e "$ROOT/man/$page" ] || continue
        sed -n 's/^\.\\" run: //p' "$ROOT/man/$page" | sort >examples
        diff examples run
        named_displays <"$ROOT/man/$page"
    done
}
