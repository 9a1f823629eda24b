#!/usr/bin/env bats
# The EXAMPLES of the manual pages, run as they are printed; those of sockctl-cookbook(7) are in
# cookbook.bats.

# shellcheck disable=SC2034 # helpers/examples.bash reads what is set here
load helpers/common
load helpers/examples

# These need what is not here, or would leave this machine.
NOT_HERE='connect-broadcast: sends to the broadcast address of a network
connect-ssh: the configuration of ssh, no command
listen-systemd: the configuration of systemd, no command
resolve-mail: asks the DNS servers of this machine
resolve-types: asks the DNS servers of this machine
resolve-server: asks a server of a network for documentation'

setup() {
    common_setup
    ports 7 22 80 1080 1300 3128 3490 4000 5000 5140 5432 6379 7777 8000 8001 8080 8081 9000 9999
}

@test "sockctl(1)" {
    PAGE=sockctl.1
    play hello free-port calls localhost arguments
    web_server
    play no-answer
}

@test "sockctl-connect(1): streams" {
    PAGE=sockctl-connect.1
    before_connect_file() { disk disk.tar; }
    after_connect_file() { cmp disk.tar dump.tar; }
    before_connect_rate() { disk disk.tar; }
    after_connect_rate() { cmp disk.tar dump.tar; }
    before_connect_wait() { database && app; }
    serve greeter "127.0.0.1:${P[8080]}" -c 'echo Hello from server!'
    echo_server echo "127.0.0.1:${P[7]}"
    play connect-file connect-narrated connect-calls connect-output connect-hex connect-log connect-rate
    play connect-wait connect-exec connect-unix connect-source
}

@test "sockctl-connect(1): probes, proxies and datagrams" {
    PAGE=sockctl-connect.1
    ssh_server
    play connect-probe
    serve page "127.0.0.1:${P[80]}" -c 'echo Hello from server!'
    socks_server
    before_connect_crlf() { serve web "127.0.0.1:${P[8081]}" -c "sh $T/web"; }
    web_script
    cache
    echo_server udp "127.0.0.1:${P[9999]}" -u
    play connect-crlf connect-expect connect-proxy connect-datagram
}

@test "sockctl-listen(1)" {
    PAGE=sockctl-listen.1
    database
    before_listen_file() { disk disk.tar; }
    after_listen_file() { cmp disk.tar dump.tar; }
    before_listen_to_unix() { echo_server app ./app.sock; }
    # shellcheck disable=SC2016
    before_listen_run() {
        printf '#!/bin/sh\necho hello from the client | sockctl connect 127.0.0.1 "$1"\n' >client
        chmod +x client
    }
    play listen-once listen-many listen-greet listen-file listen-datagrams listen-to listen-to-unix listen-proxy listen-broker
    play listen-chat listen-program listen-run listen-group listen-dump listen-port
}

@test "sockctl-echo-server(1)" {
    PAGE=sockctl-echo-server.1
    play echo-tcp echo-udp echo-unix echo-slow echo-faults echo-reset echo-print echo-few echo-run
}

@test "sockctl-http-get(1)" {
    PAGE=sockctl-http-get.1
    web_server
    before_http_resume() { disk original; }
    after_http_download() { cmp dump.tar "$T/web.disk"; }
    after_http_sum() { [ ! -e disk.tar ]; }
    play http-page http-download http-resume http-sum http-follow http-login http-timing
    socks_server "${P[8080]}"
    before_http_socket() { serve docker ./docker.sock -c "sh $T/web"; }
    before_http_health() { : >"$T/ill"; }
    play http-through http-socket http-health
}

@test "sockctl-resolve(1)" {
    need jq
    PAGE=sockctl-resolve.1
    play resolve-name resolve-first resolve-list resolve-explain resolve-json
}

@test "sockctl-unix-send(1), sockctl-unix-serve(1)" {
    PAGE=sockctl-unix-send.1
    before_send_names() { mkdir dir && : >'dir/a file'; }
    play send-two send-lines send-names send-ask send-fd
    rm -r plays
    PAGE=sockctl-unix-serve.1
    play serve-print serve-collect serve-reply serve-exec serve-frames
}

@test "every example is run, or has a reason not to be" {
    sed -n 's/^\.\\" run: //p' "$ROOT"/man/*.1 | sort >examples
    all_played | sort >run
    diff examples run
    sed -n '/^\.Sh EXAMPLES/,/^\.Sh SEE/p' "$ROOT"/man/*.1 | named_displays
}
