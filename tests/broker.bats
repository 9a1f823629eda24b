#!/usr/bin/env bats
# listen --broker and --chat: clients speak with each other.

load helpers/common

server() {
    need python3
    START_STDIN=${input:-} start server "$SOCKCTL" listen "$@" 127.0.0.1 0
    listening server
}

# client NAME: a client that stays until descriptor FD is closed, where it is told what to say.
client() {
    mkfifo "$1.in"
    START_STDIN=$1.in start "$1" "$SOCKCTL" connect -v --until-stdin-ends 127.0.0.1 "$PORT"
    eval "exec $2>$1.in"
    CLOSE+=" $2>&-"
    wait_line "$1" 'connected to'
    wait_served $((++clients))
}
# Until the server has accepted so many.
wait_served() { poll 5000 accepted "$1"; }
accepted() { (($(grep -c 'accepted' server.err) >= $1)); }

crowd() { TRY_SECONDS=30 try python3 "$HELPERS/crowd.py" "$1" "$PORT" "${@:2}"; }

# In ticks of 10 ms.
cpu_ticks() { awk '{print $14 + $15}' "/proc/${PIDS[server]}/stat"; }

@test "--broker: to all others, not back, not to stdout; stdin to all, and its end ends nothing" {
    mkfifo say
    exec 5<>say
    input=say server -v --broker
    client a 6
    client b 7
    client c 8
    echo from a >&6
    wait_file b.out 'from a'
    wait_file c.out 'from a'
    echo from us >&5
    for name in a b c; do wait_file $name.out 'from us'; done
    exec 5>&-
    echo from c >&8
    wait_file a.out 'from c'
    wait_file b.out 'from c'
    [ "$(<a.out)" = $'from us\nfrom c' ]
    [ "$(<c.out)" = $'from a\nfrom us' ]
    stop server
    assert_status 0
    assert_output ""
}

@test "--broker: each of 200 clients hears all the others" {
    need_descriptors 300
    server --broker
    crowd everyone 200
    assert_status 0
    [ -z "$errors" ] || fail "$errors"
}

@test "--broker: one who reads gets all of it, slow or fast, beside one who does not read" {
    server --broker
    start stuck python3 "$HELPERS/peer.py" stall --connect "$PORT"
    wait_server_clients 1
    crowd flood 30000000
    assert_status 0
    [ -z "$errors" ] || fail "$errors"
    wait_line server 'does not read: disconnected'
    crowd slow-pair 4000000
    assert_status 0
    [ -z "$errors" ] || fail "$errors"
    stop server
    assert_status 0
    [ "$(grep -c 'does not read' <<<"$errors")" -eq 1 ]
}

wait_server_clients() { poll 5000 has_sockets $(($1 + 1)); }
has_sockets() {
    local fd sockets=0
    for fd in "/proc/${PIDS[server]}/fd/"*; do
        [[ $(readlink "$fd") != socket:* ]] || sockets=$((sockets + 1))
    done
    ((sockets >= $1))
}

# The most memory that the server ever had resident, in KiB.
peak_kib() { awk '/^VmHWM/ {print $2}' "/proc/${PIDS[server]}/status"; }

@test "12.2.7: --broker: 300 who do not read cost no more than --max-memory; who reads gets all of it" {
    need_descriptors 400
    while read -r most least_dropped limit_kib; do
        # shellcheck disable=SC2086
        server --broker --sndbuf 16k ${most#default}
        TRY_SECONDS=60 TRY_STDIN=/dev/null try python3 "$HELPERS/crowd.py" deaf "$PORT" 300
        assert_status 0
        [ -z "$errors" ] || fail "$errors"
        sanitized || (($(peak_kib) < limit_kib)) || fail "$(peak_kib) KiB"
        stop server
        assert_status 0
        (($(grep -c 'its queue was the largest' <<<"$errors") >= least_dropped)) || fail "$errors"
    done <<'END'
default 200 140000
--max-memory=4M 290 40000
END
}

@test "--max-memory is for servers that have queues, and has a least" {
    for options in "" "-k -c cat" "--to 127.0.0.1:1" "-u -k"; do
        # shellcheck disable=SC2086
        try "$SOCKCTL" listen --max-memory 1M $options 127.0.0.1:0
        assert_usage_error 'option --max-memory is for '
    done
    try "$SOCKCTL" listen -k --max-memory 63k 127.0.0.1:0
    assert_usage_error "option --max-memory: '63k' is too small \(64k at least\)"
}

@test "--broker: a client that has ended hears what is said soon after, and is disconnected" {
    server -v --broker
    client a 6
    TRY_STDIN=<(echo question) try "$SOCKCTL" connect 127.0.0.1 "$PORT"
    assert_status 0
    wait_file a.out question
    stop server
    unset 'PIDS[server]'
    server -v --broker --until-stdin-ends
    start listener "$SOCKCTL" connect -v 127.0.0.1 "$PORT"
    wait_line server accepted
    sleep 0.7
    TRY_STDIN=<(echo late) try "$SOCKCTL" connect -q 0 127.0.0.1 "$PORT"
    wait_file listener.out late
}

@test "--broker: clients that reset or leave are no trouble, and idle it uses no time" {
    server -v --broker
    client a 6
    client b 7
    for _ in 1 2 3; do
        try python3 "$HELPERS/peer.py" rst-after 0 --connect "$PORT"
    done
    exec 6>&-
    finish a
    sleep 0.6
    before=$(cpu_ticks)
    sleep 1
    (($(cpu_ticks) - before <= 2)) || fail "it spins"
    client d 8
    echo hello >&8
    wait_file b.out hello
    stop server
    assert_status 0
}

@test "--chat: lines with names; comings and goings; stdin is user 0" {
    mkfifo say
    exec 5<>say
    input=say server -v --chat
    client ann 6
    wait_file ann.out '^<announce> you are <user1>$'
    client ben 7
    wait_file ben.out '^<announce> you are <user2>; already here: <user1>$'
    wait_file ann.out '^<announce> 127\.0\.0\.1:[0-9]+ is connected as <user2>$'
    printf 'he' >&6
    printf 'llo\r\nsecond\n\n' >&6
    wait_file ben.out '^<user1> $'
    grep -qx '<user1> hello' ben.out
    grep -qx '<user1> second' ben.out
    echo ours >&5
    wait_file ann.out '^<user0> ours$'
    wait_file ben.out '^<user0> ours$'
    printf 'without an end' >&7
    exec 7>&-
    wait_file ann.out '^<user2> without an end$'
    wait_file ann.out '^<announce> <user2> has left$'
    refute grep -q '^<user1>' ann.out
    stop server
    assert_status 0
    # The host sees what the clients see, but for his own lines.
    [[ $output =~ ^'<announce> 127.0.0.1:'[0-9]+' is connected as <user1>
<announce> 127.0.0.1:'[0-9]+' is connected as <user2>
<user1> hello
<user1> second
<user1> 
<user2> without an end
<announce> <user2> has left'$ ]] || show_results "the host sees something else"
}

@test "--chat: nothing that a client sends works on the others' terminals; long lines are cut" {
    server -v --chat
    client a 6
    client b 7
    printf '\033[31mred\a \303\244 \302\233 \377\n' >&6
    wait_file b.out 'red'
    grep -qxF '<user1> \x1b[31mred\x07 ä \xc2\x9b \xff' b.out
    head -c 300000 /dev/zero | tr '\0' x >&6
    wait_line server 'a line longer than 4096 bytes was cut'
    printf '\nshort\n' >&6
    wait_file b.out '^<user1> short$'
    [ "$(grep -c xxx b.out)" -eq 1 ]
    [ "$(grep xxx b.out | wc -c)" -eq $((4096 + 9)) ]
    [ "$(grep -c 'was cut' server.err)" -eq 1 ]
}

@test "12.2.9: --chat: what turns the direction, or is not seen, is escaped" {
    server -v --chat
    client a 6
    client b 7
    printf 'x\342\200\216\342\200\217\330\234\342\200\213\357\273\277\363\240\201\201\342\235\244\357\270\217y\n' >&6
    wait_file b.out 'user1.*y$'
    grep -qxF '<user1> x\xe2\x80\x8e\xe2\x80\x8f\xd8\x9c\xe2\x80\x8b\xef\xbb\xbf\xf3\xa0\x81\x81❤️y' b.out
}

@test "--chat: many lines of many clients, each whole and once" {
    server -v --chat
    client reader 6
    crowd lines 10
    assert_status 0
    poll 5000 is_complete || fail "lines are missing"
    refute grep -qvE '^<(user[0-9]+> [0-9]+\.[0-9]+\.x*|announce> .*)$' reader.out
}
is_complete() { (($(grep -c '^<user[0-9]*> [0-9]*\.[0-9]*\.x*$' reader.out) == 500)); }

@test "what cannot go together" {
    try "$SOCKCTL" listen --broker --serial 127.0.0.1 0
    assert_usage_error 'option --broker: .* not with --serial'
    try "$SOCKCTL" listen --chat --send-only 127.0.0.1 0
    assert_usage_error 'option --send-only: .* not with --broker or --chat'
    for way in --broker --chat --serial; do
        try "$SOCKCTL" listen -u $way 127.0.0.1 0
        assert_usage_error "option $way is for connections"
    done
}
