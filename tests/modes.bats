#!/usr/bin/env bats
# Nothing is accepted and ignored: every option in every mode of connect, listen, echo-server and unix-serve is either for
# it, as the tables say (sockctl --modes), or a usage error that says what it is for. What is accepted fails later, with
# another status, since the address is one that nothing can be bound or connected to.

load helpers/common

# Tries every option of a command in its modes, by pairs of a way and a kind; prints what is wrong.
write_matrix() {
    cat >matrix.py <<'END'
import os
import re
import subprocess
import sys

program, command = sys.argv[1:]
values = {"TIME": "1", "SIZE": "1k", "N": "2", "FILE": "file", "TEXT": "x", "LIST": "127.0.0.1", "HEX": "ab", "BYTE": "x",
          "URL": "http://127.0.0.1:1", "OCTAL": "600", "PERCENT": "5", "ADDR": "127.0.0.1", "PORT": "9", "HOST": "127.0.0.1",
          "INTERFACE": "lo", "IFACE": "lo", "NAME": "lo", "WORD": "x"}
special = {"ttl": "3", "tos": "ef", "mark": "1", "log": "json", "mode": "echo" if command == "echo-server" else "644",
           "interface": "lo", "payload": "ab", "oob": "x", "allow-uid": "0", "ready-fd": "9", "max-memory": "2M",
           "max-message": "1k", "framing": "line", "proxy": "http://127.0.0.1:1", "port-file": "file", "allow": "127.0.0.1",
           "deny": "127.0.0.1", "wait": "1ms", "retry": "1", "greeting": "x", "timeout": "50ms", "keepalive": None, "join": "239.1.1.1", "send-proxy": None}
# Those that say what is done, or where; and those that are for others of their own, as tests of these see.
ways_themselves = {"exec", "sh-exec", "probe", "send", "expect", "pass-fd", "keep-open", "serial", "broker", "chat", "to", "udp",
                   "unix", "source", "source-port", "port", "listen", "run", "workers", "proxy-env", "via", "tls", "tls-ca", "tls-insecure", "inetd", "reply", "echo"}
ways = {
    "connect": {"stdio": [], "program": ["-e", "true"], "script": ["--send", "x"], "probe": ["-z"], "pass": ["-F"],
                "program inetd": ["-e", "true", "--inetd"], "stdio via": ["--via", "true"], "stdio tls": ["--tls"]},
    "listen": {"stdio": [], "shared": ["-k"], "broker": ["--broker"], "program": ["-e", "true"],
               "programs": ["-k", "-e", "true"], "forward": None,
               "program inetd": ["-e", "true", "--inetd"], "programs inetd": ["-ke", "true", "--inetd"]},
    "echo-server": {"shared": []},
    "unix-serve": {"shared": [], "programs": ["-e", "true"]},
}[command]
kinds = {"tcp": "192.0.2.1:1", "udp": "udp:192.0.2.1:1", "unix": "./no/s", "seqpacket": "unix-seqpacket:./no/s",
         "dgram": "unix-dgram:./no/s", "raw": "raw:253:192.0.2.1"}
if command == "connect":
    kinds["tcp"], kinds["udp"] = "127.0.0.1:1", "udp:255.255.255.255:9"
if command == "unix-serve":
    kinds = {"unix": "./no/s"}
if command == "echo-server":
    del kinds["raw"]
to = {"tcp": "127.0.0.1:1", "udp": "udp:127.0.0.1:1", "unix": "./no/t", "seqpacket": "unix-seqpacket:./no/t",
      "dgram": "unix-dgram:./no/t"}
named = {
    "stdio": "many clients|--to|--keep-open|program|--probe", "shared": "one client|--to|program", "broker": "--broker|--to|one client",
    "program": "program|many clients|--keep-open|--to|--probe", "programs": "program|--keep-open|--to", "script": "--send|--probe",
    "forward": "--to|--keep-open", "probe": "--probe", "pass": "--pass-fd|--probe",
    "inetd": "the program has the socket", "via": "COMMAND makes the connection|IPv6 is asked for", "tls": "openssl.1. makes the connection",
}
kind_words = "--accept-proxy|TCP|UDP|raw sockets|UNIX sockets|datagrams|streams|connections"

rows = {}
for line in subprocess.run([program, "--modes"], capture_output=True, text=True, check=True).stdout.splitlines():
    owner, name, modes = line.split("\t")
    if owner == command:
        rows[name] = set(modes.split())
metavars = {}
for line in subprocess.run([program, "--table"], capture_output=True, text=True, check=True).stdout.splitlines():
    owner, _, name, value = line.split("\t")[:4]
    if owner == command:
        metavars[name] = value


def typed(name):
    value = special.get(name, values.get(metavars[name]))
    if name in special and value is None or not metavars[name]:
        return "--" + name
    if value is None:
        print("no value for", name, metavars[name])
    return f"--{name}={value}"


def words_of(way, kind, options):
    what = ways[way] if ways[way] is not None else ["--to", to[kind]]
    return [command, *what, *map(typed, options), kinds[kind]]


# Two halves of what contradicts the other: each is given without the other.
halves = [{"explain", "separator", "exit-on-eof", "recv-only", "shutdown", "ipv6", "broadcast", "ip-header"},
          {"log", "until-stdin-ends", "send-only", "no-shutdown", "crlf", "lines", "delay", "ipv6", "broadcast", "ttl", "tos"}]
cases = []
for way in ways:
    for kind in kinds:
        options = [name for name in rows if name not in ways_themselves]
        if command == "listen" and way == "shared" and kind in ("udp", "dgram", "raw"):
            options.remove("max-conns") # the one row that is not a product of the two
        modes = way.split()
        fits = [name for name in options if rows[name].issuperset([*modes, kind])]
        said = {"program": "exec", "programs": "exec", "forward": "to", "script": "send", "pass": "pass-fd"}
        if all(kind in rows.get(said.get(mode, mode), {kind}) for mode in modes):
            # All that are for it, at once.
            cases += [(words_of(way, kind, [name for name in fits if name not in half]), True, "", "") for half in halves]
        # Those that are not, one by one, in each way over one kind, and over each kind in one way.
        plain = way == next(iter(ways))
        for name in options:
            if (plain or kind == next(iter(kinds))) and name not in fits:
                lacks = [mode for mode in modes if mode not in rows[name]]
                why = "|".join(["--hex-dump"] * bool(lacks) + [named[mode] for mode in lacks] +
                               [kind_words] * (kind not in rows[name]))
                cases.append((words_of(way, kind, [name]), False, "--" + name, why))

spare = os.open("/dev/null", os.O_WRONLY)
os.dup2(spare, 9)
os.set_inheritable(9, True)
running = []


def judge(process, words, fits, option, why):
    errors = process.communicate(timeout=20)[1].decode()
    refused = process.returncode == 2
    if fits and refused or not fits and not (refused and re.search(f"^sockctl: (option {option}|address).*({why})", errors)):
        print("accepted, and not for it:" if not refused else "refused:", *words, "|", errors.splitlines()[:1])


for case in cases:
    process = subprocess.Popen([program, *case[0]], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, close_fds=False)
    running.append((process, *case))
    if len(running) == 8:
        judge(*running.pop(0))
for each in running:
    judge(*each)
print(len(cases) >= int(os.environ["LEAST"]))
END
}

every_option_of() {
    need python3
    write_matrix
    LEAST=$2 TRY_SECONDS=60 try python3 matrix.py "$SOCKCTL" "$1"
    assert_status 0
    assert_output True
}

@test "15.1: connect: every option, in every mode, is for it or refused" { every_option_of connect 120; }

@test "15.1: listen: every option, in every mode, is for it or refused" { every_option_of listen 150; }

@test "15.1: echo-server: every option, over every kind of socket, is for it or refused" { every_option_of echo-server 40; }

@test "15.1: unix-serve: every option, with and without a program, is for it or refused" { every_option_of unix-serve 5; }

@test "15.1: options that contradict each other, or need another, are refused" {
    while IFS='|' read -r words why; do
        # shellcheck disable=SC2086 # words
        try "$SOCKCTL" $words
        assert_usage_error "^sockctl: $why"
    done <<'END'
connect --until-stdin-ends --exit-on-eof 127.0.0.1:1|options --until-stdin-ends and --exit-on-eof exclude each other
connect -d --send-only 127.0.0.1:1|options --recv-only and --send-only exclude each other
connect -N --no-shutdown 127.0.0.1:1|options --shutdown and --no-shutdown exclude each other
connect -d -C 127.0.0.1:1|option --crlf: with --recv-only, stdin is not read
connect -a 127.0.0.1:1|option --append is for --output and --hex-dump
connect -zj 127.0.0.1:1 -- true|option --json: with a program to start, nothing is printed
connect --hex-dump localhost 80|option --hex-dump: 'localhost' is taken for its FILE
listen --serial -m 2 127.0.0.1:0|options --serial and --max-conns exclude each other
echo-server --seed 1 127.0.0.1:0|option --seed is for faults that come by chance
unix-serve 8080|8080 is taken for a path \(./8080\); for a port: sockctl listen 8080
unix-send 8080 x|8080 is taken for a path \(./8080\); for a port: sockctl connect 8080
unix-send -0 ./s x|option --null is for messages on stdin
unix-send --max-message 5 ./s x|option --max-message is for --reply
resolve -s -j localhost|options --short and --json exclude each other
resolve -4 -t MX localhost|option --ipv4: the records are those of --type
resolve -x -t MX 127.0.0.1|option --reverse: with --type, PTR alone
http-get --max-redirs 3 h|option --max-redirs is for --location
http-get -s -# h|options --silent and --progress exclude each other
http-get -U ./s -4 h|options -4 and -6 are for internet addresses
http-get -U ./s -x h:1 h|--unix-socket and --proxy are two ways to the server
http-get -Y 2k --limit-rate 1k h|--speed-limit is above --limit-rate
http-get --http0.9 -H a:b h|--http0.9 sends no fields
http-get --http0.9 -L h|--http0.9 has no head and no status
END
}

@test "15.1: an inherited socket, whose kind is seen when it is there" {
    need python3
    try python3 -c '
import os, socket, subprocess, sys
for kind, option in (socket.SOCK_STREAM, "--lines"), (socket.SOCK_DGRAM, "--telnet"):
    one, other = socket.socketpair(socket.AF_UNIX, kind)
    ended = subprocess.run([sys.argv[1], "connect", option, f"fd:{one.fileno()}"], pass_fds=[one.fileno()], stdin=subprocess.DEVNULL,
                           capture_output=True, text=True, timeout=9)
    print(ended.returncode, ended.stderr.splitlines()[0])' "$SOCKCTL"
    assert_output "2 sockctl: option --lines is for datagrams
2 sockctl: option --telnet is for streams"
}
