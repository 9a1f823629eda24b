#!/usr/bin/env python3
"""Sockets in states that only their owner can bring about: full, stale, inherited.

What stays is ended by whoever started it, or by an alarm after 20 seconds.
"""
import argparse
import os
import signal
import socket
import sys

LIMIT_SECONDS = 20


def say(text):
    print(text, flush=True)


def fill(family, address):
    """Connects until nobody else can: the sockets, to be kept."""
    socks = []
    while True:
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.settimeout(0.2)
        socks.append(sock)
        try:
            sock.connect(address)
        except (TimeoutError, BlockingIOError):
            return socks


def full(args):
    """A TCP listener on HOST whose backlog is full: a SYN gets no answer. Prints PORT n."""
    with socket.create_server((args.host, args.port), backlog=0) as listener:
        keep = fill(socket.AF_INET, listener.getsockname())
        say(f"PORT {listener.getsockname()[1]}")
        signal.pause()
        del keep


def full_unix(args):
    """A UNIX listener at PATH whose backlog is full. Prints READY; after SIGUSR1 it accepts, and
    sends a line to each client."""
    signal.signal(signal.SIGUSR1, lambda *_: None)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(args.path)
        listener.listen(0)
        keep = fill(socket.AF_UNIX, args.path)
        say("READY")
        signal.pause()
        while True:
            conn, _ = listener.accept()
            try:
                conn.sendall(b"at last\n")
            except OSError:
                pass
            conn.close()
        del keep


def stale(args):
    """A socket file at PATH that nobody answers at."""
    with socket.socket(socket.AF_UNIX, getattr(socket, args.kind)) as sock:
        sock.bind(args.path)


def bind_kind(text):
    """stream, dgram (TCP, UDP on 127.0.0.1), unix:PATH: a bound socket, listening if it can."""
    if text.startswith("unix:"):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.bind(text[5:])
    else:
        kind = socket.SOCK_DGRAM if text == "dgram" else socket.SOCK_STREAM
        sock = socket.socket(socket.AF_INET, kind)
        sock.bind(("127.0.0.1", 0))
    if text != "dgram":
        sock.listen()
    if not text.startswith("unix:"):
        print(f"PORT {sock.getsockname()[1]}", file=sys.stderr, flush=True)
    return sock


def systemd(args):
    """Runs CMD as systemd would, with a socket for each of KINDS (stream,dgram,unix:PATH) and
    NAMES (a:b:c). The port of each is told on stderr."""
    socks = [bind_kind(kind) for kind in args.kinds.split(",")]
    high = [os.dup2(sock.fileno(), 100 + i) for i, sock in enumerate(socks)]
    for sock in socks:
        sock.close()
    for i, fd in enumerate(high):
        os.dup2(fd, 3 + i)
        os.close(fd)
    os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(high)))
    if args.names:
        os.environ["LISTEN_FDNAMES"] = args.names
    signal.alarm(0)
    os.execvp(args.command[0], args.command)


def other_end(conn):
    """Sends a line, reads to the end, writes that to the file given.out."""
    conn.sendall(b"hello\n")
    data = b""
    while part := conn.recv(65536):
        data += part
    with open("given.part", "wb") as file:
        file.write(data)
    os.rename("given.part", "given.out")


def given(args):
    """Runs CMD with a connected, blocking socket as descriptor 5."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, getattr(socket, args.kind))
    if os.fork() == 0:
        theirs.close()
        other_end(ours)
        os._exit(0)
    ours.close()
    os.dup2(theirs.fileno(), 5)
    signal.alarm(0)
    os.execvp(args.command[0], args.command)


def blocking(_args):
    """Says whether descriptor 5, which it shares, is blocking."""
    say("blocking" if os.get_blocking(5) else "non-blocking")


def main():
    signal.alarm(LIMIT_SECONDS)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)

    def add(name, run, *operands):
        sub = commands.add_parser(name, help=run.__doc__.splitlines()[0])
        sub.set_defaults(run=run)
        for operand in operands:
            sub.add_argument(operand)
        return sub

    add("full", full, "host").add_argument("port", nargs="?", type=int, default=0)
    add("full-unix", full_unix, "path")
    add("stale", stale, "path").add_argument("kind", nargs="?", default="SOCK_STREAM")
    add("systemd", systemd, "kinds", "names").add_argument("command", nargs=argparse.REMAINDER)
    add("given", given, "kind").add_argument("command", nargs=argparse.REMAINDER)
    add("blocking", blocking)
    args = parser.parse_args()
    try:
        args.run(args)
    except OSError as error:
        sys.exit(f"sockets.py: {error}")


main()
