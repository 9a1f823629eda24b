#!/usr/bin/env bats
# `make lesson`: the first chapters of sockctl-tutorial(7), guided.

load helpers/common
load helpers/lab

setup() {
    common_setup
    mkdir -p tree/docs
    cp "$ROOT/docs/lesson" tree/docs
    cp -r "$ROOT/man" tree
}

# lesson [NAME=VALUE…]: all of it, with a line for each Enter.
lesson() {
    TRY_SECONDS=50 TRY_STDIN=<(yes '' | head -n 100) try env "$@" tree/docs/lesson
}

# shown ERE…: lines of its output match, in this order.
shown() {
    local pattern line=0
    for pattern; do
        while [[ ! ${lines[line]-} =~ $pattern ]]; do
            ((++line < ${#lines[@]})) || show_results "not there, or not in this order: $pattern" || return
        done
    done
}

@test "18.4: three chapters, whose commands are run" {
    mkdir -p tree/build/lab
    cd tree/build/lab
    lab tcp-server tcp-client
    cd "$T"
    lesson LANG=C
    assert_status 0
    [ -z "$errors" ] || [[ $errors == *'Connection refused'* ]]
    shown '^1\. WHAT A SOCKET IS$' '^- domain: the kind of address: AF_INET ' \
        '^\$ sockctl connect -vv 127\.0\.0\.1 80[0-9]+$' '^  \[Enter runs it\]' '^socket\(\) returns the descriptor' \
        '^2\. THE CALLS' "^server\\\$ echo 'Hello from server!' \| sockctl listen -vv 127" \
        '^server \| sockctl: bind\(5, \{AF_INET, 127' '^server \| sockctl: close\([0-9]+\) = 0$' \
        '^accept\(\) returns a new socket' '^3\. BOTH ENDS' '^server \| Hello from client!$' \
        '^server\$ \./tcp-server 80' '^server \| listening on port 80' '^Hello from server!$' \
        '^\$ \./tcp-client 80' '^Hello from sockctl!$' '^The rest is in man sockctl-tutorial'
    [[ $output != *'4. '* ]]
    awk 'length > 80 && !/sockctl: / { print; long = 1 } END { exit long }' try.out
    [ "$(find tree -newer try.out)" = '' ]
}

@test "18.4: in Spanish, and without the programs in C" {
    for language in 'SOCKCTL_LANG=es LANG=C' 'SOCKCTL_LANG= LC_ALL= LC_MESSAGES= LANG=es_AR.UTF-8'; do
        # shellcheck disable=SC2086 # two variables
        lesson $language
        assert_status 0
        shown '^1\. QUÉ ES UN SOCKET$' '^servidor \| sockctl: accept4\(' '^3\. LOS DOS EXTREMOS' '^servidor \| Hola del cliente$' \
            '^    servidor\$ \./tcp-server 80' 'no está compilado: make lab' '^Lo demás está en man sockctl-tutorial'
    done
}

@test "18.4: another port where 8080 is taken" {
    # By us, or by somebody else.
    start other "$SOCKCTL" listen -k 127.0.0.1 8080
    poll 5000 bash -c ': <>/dev/tcp/127.0.0.1/8080' || skip "8080 cannot be had"
    TRY_STDIN=<(echo; echo; echo q) try tree/docs/lesson
    assert_status 0
    shown '^Port 8080 is taken; here it is 80[89]' '^\$ sockctl connect -vv 127\.0\.0\.1 80[89]'
    [[ $output != *'127.0.0.1 8080'* ]]
}

@test "18.4: ctrl-C in a terminal leaves nothing behind, and neither do q and the end of the input" {
    need python3
    # Each time when the server waits for its client.
    TRY_SECONDS=50 try python3 -c '
import os, pty, re, select, socket, sys, time
for keys, status in (b"\x03", 130), (b"q\n", 0), (b"\x04", 0):
    child, terminal = pty.fork()
    if child == 0:
        os.execv("tree/docs/lesson", ["lesson"])
    screen, answered, end = b"", 0, time.monotonic() + 20
    while time.monotonic() < end:
        if not select.select([terminal], [], [], 0.2)[0]:
            continue
        try:
            screen += os.read(terminal, 4096)
        except OSError:
            break
        if screen.count(b"] ") + screen.count(b"]\x1b[0m ") > answered:
            answered += 1
            os.write(terminal, keys if answered == 4 else b"\n")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == status, screen
    port = int(re.findall(rb"listening on 127\.0\.0\.1:(\d+)", screen)[-1])
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            time.sleep(0.05)
        except ConnectionRefusedError:
            break
    else:
        sys.exit("the server is still there")
    print("gone")'
    assert_output $'gone\ngone\ngone'
    assert_status 0
}

@test "18.4: ctrl-C while a command runs" {
    need python3 sleep
    sed -i 's/^\$ sockctl connect -vv .*/$ echo begun; sleep 59/' tree/man/sockctl-tutorial.7
    try python3 -c '
import os, pty
child, terminal = pty.fork()
if child == 0:
    os.environ["LANG"] = "C"
    os.execv("tree/docs/lesson", ["lesson"])
def until(text):
    screen = b""
    while text not in screen:
        screen += os.read(terminal, 4096)
until(b"Enter runs it")
os.write(terminal, b"\n")
until(b"begun\r\n")
os.write(terminal, b"\x03")
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))'
    assert_output 130
}
