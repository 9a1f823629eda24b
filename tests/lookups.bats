#!/usr/bin/env bats
# Look-ups on the way to a connection: of servers that answer for one family alone, late, or not at all.

load helpers/common
load helpers/names

# libc waits for a minute.
setup() {
    names_setup
    export TRY_SECONDS=30
    printf 'nameserver 127.0.0.1\noptions timeout:30 attempts:2\n' >resolv.conf
}

queries() { grep -aE '^(udp|tcp) ' dns.out; }

# with_echo ADDRESS CMD…: CMD with an echo server at ADDRESS and the DNS server of helpers/dns.py.
with_echo() {
    # shellcheck disable=SC2016
    dns bash -c '"$0" echo-server -v "$1" 2>echo.err & echo=$!
        until grep -q listening echo.err; do kill -0 $echo || exit; sleep 0.02; done
        shift; "$@"; status=$?; kill $echo; wait $echo; exit $status' "$SOCKCTL" "$@"
}

@test "13.1: the A record at once, AAAA never: connect, -w, --wait, -z, -u, a proxy by name" {
    # shellcheck disable=SC2016
    with_echo 127.0.0.1:7 bash -c '
        echo one | "$0" connect half4.test 7
        echo two | "$0" connect -w 5 half4.test 7
        "$0" connect -z --wait 5 half4.test 7 -- echo three
        "$0" echo-server -v udp:127.0.0.1:7 2>udp.err & udp=$!
        until grep -q listening udp.err; do kill -0 $udp || exit; sleep 0.02; done
        echo four | "$0" connect -u -W1 half4.test 7
        kill $udp
        "$0" connect -w 9 -x socks5://half4.test:7 127.0.0.1 8' "$SOCKCTL"
    assert_output $'one\ntwo\nthree\nfour'
    assert_errors 'half4\.test' # the echo server is no proxy, but it was found
    refute grep -q 'looked up' <<<"$errors"
}

@test "13.1: the AAAA record at once, A never" {
    [ -e /proc/net/if_inet6 ] || skip "needs IPv6"
    TRY_STDIN=<(echo hi) with_echo '[::1]:7' "$SOCKCTL" connect half6.test 7
    assert_status 0
    assert_output hi
}

@test "13.1: the same for http-get and listen --to, streams and datagrams" {
    need python3
    mkdir www && echo page >www/page
    # shellcheck disable=SC2016
    dns bash -c 'cd www && exec python3 -u -m http.server -b 127.0.0.1 80 >../http.out 2>&1 & http=$!
        until grep -q Serving http.out; do kill -0 $http || exit; sleep 0.02; done
        "$0" http-get http://half4.test/page; status=$?; kill $http; exit $status' "$SOCKCTL"
    assert_status 0
    assert_output page
    for kind in '' udp:; do
        # shellcheck disable=SC2016
        TRY_STDIN=<(echo hi) with_echo "${kind}127.0.0.1:7" bash -c '
            "$0" listen "${1}127.0.0.1:8" --to "${1}half4.test:7" -v 2>to.err & to=$!
            until grep -q listening to.err; do kill -0 $to || exit; sleep 0.02; done
            "$0" connect -q 9 $2 "${1}127.0.0.1:8"; status=$?; kill $to; exit $status' \
            "$SOCKCTL" "$kind" "${kind:+-W1}"
        assert_output hi
    done
}

@test "13.1: what is known late joins the race" {
    [ -e /proc/net/if_inet6 ] || skip "needs IPv6"
    # 127.0.0.1 refuses; that ::1 is there is known 400 ms later.
    TRY_STDIN=<(echo hi) with_echo '[::1]:7' "$SOCKCTL" connect -v late6.test 7
    assert_status 0
    assert_output hi
    assert_errors '^sockctl: connected to \[::1\]:7$'
    with_echo '[::1]:7' "$SOCKCTL" connect -z late6.test 7
    assert_status 0
    assert_output 'late6.test 7 open'
    with_echo '[::1]:7' "$SOCKCTL" connect -z late6.test 7,9
    assert_status 4
    assert_output 'late6.test 7 open'
    # Both refuse: both are named, each once.
    dns "$SOCKCTL" connect late6.test 7
    assert_status 4
    assert_errors '^sockctl: connect to late6\.test:7: 127\.0\.0\.1:7: Connection refused; \[::1\]:7: Connection refused$'
}

@test "13.1: IPv4 does not wait for IPv6 addresses that come after 400 ms" {
    TRY_STDIN=<(echo hi) with_echo 127.0.0.1:7 "$SOCKCTL" connect -v late6.test 7
    assert_output hi
    assert_errors '^sockctl: connected to 127\.0\.0\.1:7$'
    refute grep -q '::1' <<<"$errors"
}

@test "13.1: where the known address refuses and the other never comes, a round is over in time" {
    dns "$SOCKCTL" connect -w 2 half4.test 7
    assert_status 5
    assert_errors '127\.0\.0\.1:7: Connection refused; no answer to the look-up of its IPv6 addresses$'
    # A server that comes up later is found by a later round.
    # shellcheck disable=SC2016
    TRY_STDIN=<(echo hi) dns bash -c '{ sleep 1.3; exec "$0" echo-server 127.0.0.1:7; } 2>echo.err & echo=$!
        "$0" connect --wait 9 half4.test 7; status=$?; kill $echo; wait $echo; exit $status' "$SOCKCTL"
    assert_status 0
    assert_output hi
}

@test "13.1: names of the hosts file are looked up as a whole: nothing is asked of DNS" {
    printf '127.0.0.1 localhost pinned.test\n' >hosts
    TRY_STDIN=<(echo hi) with_echo 127.0.0.1:7 "$SOCKCTL" connect localhost 7
    assert_output hi
    TRY_STDIN=<(echo hi) with_echo 127.0.0.1:7 "$SOCKCTL" connect pinned.test 7
    assert_output hi
    refute queries
}

@test "13.1: a name that answers in time is asked for once a family; -4 and -6 ask for theirs" {
    dns "$SOCKCTL" connect -4 half4.test 7
    assert_status 4
    [ "$(queries)" = 'udp half4.test 1' ]
    dns "$SOCKCTL" connect -6 half6.test 7
    assert_status 4
    [ "$(queries)" = 'udp half6.test 28' ]
}

one_thread() {
    ASAN_OPTIONS=detect_leaks=0 hosts strace -f -e trace=clone,clone3 -o trace \
        "$SOCKCTL" connect localhost 1
    [ "$(grep -Ec 'clone3?\(' trace)" -eq 1 ]
}

@test "13.1: a name of the hosts file costs one thread" {
    need strace
    poll 20000 one_thread # a busy machine may be late with it
}

@test "13.1: two hosts of the search list are never taken for one" {
    printf 'search one.test two.test\n' >>resolv.conf
    dns "$SOCKCTL" connect search 7
    assert_status 4
    # Of the first; of the second where the machine was busy for 25 ms. But not of both.
    assert_errors '(127\.0\.0\.1|\[::1\]):7: Connection refused'
    refute grep -q '::1.*127\|127.*::1' <<<"$errors"
}

@test "13.1: a temporary failure of one family and no address of the other is temporary" {
    printf 'nameserver 127.0.0.1\noptions timeout:5 attempts:1\n' >resolv.conf
    dns "$SOCKCTL" connect mixed.test 7
    assert_status 3
    assert_errors '^sockctl: resolve mixed\.test: (Temporary failure in name resolution|Try again)$'
}

@test "13.9: a datagram lost on the way to a connection is asked for again in time" {
    for limit in '-w 2' '-w 5' ''; do
        # shellcheck disable=SC2086
        TRY_STDIN=<(echo hi) with_echo 127.0.0.1:7 "$SOCKCTL" connect $limit lost.test 7
        assert_status 0
        assert_output hi
    done
    TRY_STDIN=<(echo hi) with_echo 127.0.0.1:7 "$SOCKCTL" connect -4 -w 2 onelost.test 7
    assert_output hi
}

# hanging: a line a command that looks a silent name up, the limit of a second left out (LIMIT).
hanging() {
    cat <<'END'
connect LIMIT silent.test 7
connect -u LIMIT silent.test 7
connect -z LIMIT silent.test 7
connect -x socks5://silent.test:7 LIMIT 127.0.0.1 7
listen LIMIT silent.test 0
resolve LIMIT silent.test
resolve LIMIT silent.test silent.test
resolve LIMIT -t A silent.test
resolve LIMIT --explain silent.test
resolve LIMIT --server silent.test v4.test
connect MAX silent.test 7
connect -z MAX silent.test 7
http-get MAX http://silent.test/
http-get MAX -x http://silent.test:8/ http://127.0.0.1/
listen MAX silent.test 0
listen -k MAX silent.test 0
listen MAX 127.0.0.1:0 --to silent.test:7
echo-server MAX silent.test 0
END
}

@test "12.3.8: -w and --max-time hold while a name is looked up, whatever the command" {
    hanging | sed 's/LIMIT/-w 1/; s/MAX/--max-time 1/' >commands
    # shellcheck disable=SC2016
    TRY_SECONDS=60 dns bash -c 'while read -r command; do
            "$0" $command </dev/null >/dev/null 2>&1
            [ $? -eq 5 ] || echo "$command"
        done <commands' "$SOCKCTL"
    assert_status 0
    assert_output ""
}

@test "12.3.8: SIGTERM ends a look-up at once, whatever the command" {
    hanging | sed 's/LIMIT/-w 60/; s/MAX/--max-time 60/' >commands
    # One that takes 100 ms once may be a busy machine; five times, it is not. One that has not been
    # told yet has 100 ms more.
    cat >terminate <<'END'
ends_at_once() {
    for _ in 1 2 3 4 5; do
        asked=$(grep -c silent dns.out)
        "$SOCKCTL" $1 </dev/null >/dev/null 2>&1 &
        case $1 in
        *--to*) sleep 0.2 ;; # asks for a client
        *) until [ "$(grep -c silent dns.out)" -gt "$asked" ]; do sleep 0.02; done ;;
        esac
        before=${EPOCHREALTIME/[.,]/}
        kill -TERM $!
        wait $!
        ((${EPOCHREALTIME/[.,]/} - before >= 100000 * PATIENCE)) || return 0
    done
    return 1
}
while read -r command; do ends_at_once "$command" || echo "$command"; done <commands
END
    export PATIENCE
    TRY_SECONDS=60 dns bash terminate
    assert_output ""
}

@test "12.3.8: names behind silent ones are looked up in time: threads that hang are replaced" {
    # More silent ones than there are threads to take names.
    { printf 'silent.test\n%.0s' {1..40} && echo v4.test; } >names
    TRY_STDIN=names TRY_SECONDS=45 dns "$SOCKCTL" resolve -s -w 2 -
    assert_status 5
    assert_output 127.0.0.1
    [ "$(grep -c '^sockctl: resolve silent\.test: no answer within the time limit$' <<<"$errors")" -eq 40 ]
}

@test "13.9: resolve -w asks again in time after a lost datagram, of the system's resolver and of DNS" {
    for limit in 2 5; do
        dns "$SOCKCTL" resolve -s -w "$limit" onelost.test
        assert_status 0
        assert_output 127.0.0.1
        dns "$SOCKCTL" resolve -s -w "$limit" -t A onelost.test
        assert_status 0
        assert_output 127.0.0.1
        [ "$(queries | wc -l)" -eq 2 ]
    done
    # Over two servers, of which the first hears nothing, without a limit.
    printf 'nameserver 127.0.0.1\nnameserver 127.0.0.1\n' >resolv.conf
    TRY_SECONDS=30 dns "$SOCKCTL" resolve --timing -t A onelost.test
    assert_status 0
    ms=$(sed -n 's/^sockctl: onelost.test: \([0-9]*\)\..* ms$/\1/p' <<<"$errors")
    ((ms >= 2000 && ms < 4900)) || fail "after $ms ms"
}

@test "13.9: the last of the tries within -w has until its end" {
    dns "$SOCKCTL" resolve -w 1 -t A silent.test
    assert_status 5
    assert_errors '127\.0\.0\.1:53: no answer within the time limit$'
    [ "$(queries | wc -l)" -eq 3 ]
}
