#!/usr/bin/env bats
# The recipes of sockctl-cookbook(7), run as they are printed, against each other or against servers
# that are made here.

# shellcheck disable=SC2034 # helpers/examples.bash reads what is set here
load helpers/common
load helpers/examples

# These need what is not here, or would leave this machine.
NOT_HERE='wake: sends to the broadcast address of a network
ssdp: asks the hosts of a network (discovery.bats has three)
mdns: asks the hosts of a network
multicast: needs an interface eth0
ssh-proxy: needs the SSH server of another machine
ssh-config: the configuration of ssh, no command'

setup() {
    common_setup
    PAGE=sockctl-cookbook.7
    ports 7 22 25 53 80 81 514 1080 1300 3128 4000 5432 5433 6379 7777 8000 8001 8080 8081 8125 9000 9998 9999
}

@test "find open ports" {
    ssh_server
    mail_server
    serve page "127.0.0.1:${P[80]}"
    echo_server dns "127.0.0.1:${P[53]}" -u
    play port-open port-list port-json port-udp network-sweep port-ping banner banners
}

@test "wait for services" {
    database
    cache
    mail_server
    before_wait_start() { app; }
    before_wait_several() { app; }
    before_wait_socket() { echo_server app ./app.sock; }
    after_wait_socket() { end_server app; }
    play wait-start wait-several wait-socket wait-gone wait-fail health-redis health-smtp
    web_server
    play health-http
}

@test "transfer files" {
    for name in send_file send_compressed fetch_file offer_file send_limited send_idle; do
        eval "before_$name() { disk disk.tar; }"
    done
    for name in send_file send_compressed fetch_file send_limited send_idle; do
        eval "after_$name() { cmp disk.tar dump.tar; }"
    done
    before_send_tree() { mkdir "$T/there" && mkdir photos && echo sea >photos/one; }
    after_send_tree() { [ "$(<photos/one)" = sea ]; }
    before_send_checked() { echo dear >letter; }
    after_send_checked() { cmp letter dump.tar; }
    after_collect() { [ "$(<all.log)" = 'backup done' ]; }
    after_record() { grep -q '220 mail' session.log; }
    play send-file send-tree send-compressed send-checked fetch-file offer-file send-limited send-idle collect
    serve mail "127.0.0.1:${P[25]}" -c 'echo 220 mail.example.com ESMTP'
    play record
}

@test "serve" {
    before_serve_page() { echo '<p>It works.</p>' >page.html; }
    play greet serve-program serve-arguments serve-few serve-local serve-network serve-page time-server chat broker
    play first-within
}

@test "relay" {
    database
    before_forward_unix() { echo_server app ./app.sock; }
    play forward forward-unix forward-tcp forward-limited announce
    echo_server udp "127.0.0.1:${P[9999]}" -u
    play forward-udp tcp-to-udp
    proxies
    play forward-proxy
    web_server
    play inspect watch
}

@test "relay from IPv4 to IPv6" {
    need_ipv6
    echo_server six "[::1]:${P[8080]}"
    play forward-family
}

@test "send datagrams" {
    before_syslog() { serve "datagrams-${P[514]}" "127.0.0.1:${P[514]}" -u; }
    after_syslog() { wait_file "$T/datagrams-${P[514]}.out" '^<14>backup: done$'; }
    before_statsd() { serve "datagrams-${P[8125]}" "127.0.0.1:${P[8125]}" -u; }
    after_statsd() { wait_file "$T/datagrams-${P[8125]}.out" '^logins:1\|c$'; }
    play syslog statsd udp-print udp-lost unix-datagram
    echo_server udp "127.0.0.1:${P[9999]}" -u
    play udp-separate udp-ask
}

@test "send packets by hand" {
    need unshare nsenter ip
    unshare -rn ip link set lo up 2>"$T/why" || skip "no network namespace can be made: $(<"$T/why")"
    start network unshare -rn sh -c 'ip link set lo up && echo "0 0" >/proc/sys/net/ipv4/ping_group_range
        echo up >&2 && exec sleep 60'
    wait_line network '^up'
    mkdir bin
    printf '#!/bin/sh\nexec nsenter --preserve-credentials -U -n -t %d "%s" "$@"\n' "${PIDS[network]}" "$SOCKCTL" >bin/sockctl
    chmod +x bin/sockctl
    SOCKCTL=$T/bin/sockctl
    play ping ping-raw raw-own
}

@test "go through proxies" {
    proxies
    play socks http-proxy proxy-variable
    end_server page
    end_server socks
    web_server
    socks_server "${P[8080]}"
    play proxy-fetch
}

@test "use UNIX sockets" {
    before_unix_http() { web_server && end_server web && serve docker ./docker.sock -c "sh $T/web"; }
    before_pass_descriptor() { echo for your eyes only >secret; }
    play unix-http unix-talk unix-group messages messages-program pass-descriptor
}

@test "fetch over HTTP" {
    web_server
    before_download() { disk original; }
    before_download_checked() { disk original; }
    play get download download-checked redirect not-found http-time http-header http-hand http-post http-virtual
}

@test "look up names" {
    need jq python3
    # Whatever is asked for, the answer is one MX record.
    start dns python3 -c '
import signal, socket, sys
signal.alarm(60)
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
    server.bind(("127.0.0.1", int(sys.argv[1])))
    print("READY", flush=True)
    while True:
        query, client = server.recvfrom(512)
        name = query[12 : query.index(b"\0", 12) + 1]
        question = name + b"\0\x0f\0\x01"
        mail = b"\0\x0a\x04mail\xc0\x0c"
        answer = b"\xc0\x0c\0\x0f\0\x01\0\0\0\x3c" + len(mail).to_bytes(2, "big") + mail
        server.sendto(query[:2] + b"\x81\x80\0\x01\0\x01\0\0\0\0" + question + answer, client)' "${P[53]}"
    wait_file dns.out READY
    play addresses reverse dns-record lookup-many
}

@test "stand in for a server" {
    play fake-http fake-slow fake-cut fake-dead fake-lossy
}

@test "in scripts and continuous integration" {
    need jq
    ssh_server
    echo_server echo "127.0.0.1:${P[7]}"
    play ci-run ci-port ci-proof ci-log ci-why
}

@test "every recipe is run, or has a reason not to be" {
    sed -n 's/^\.\\" run: //p' "$ROOT/man/sockctl-cookbook.7" | sort >recipes
    all_played | sort >run
    diff recipes run
    named_displays <"$ROOT/man/sockctl-cookbook.7"
}
