#!/usr/bin/env python3
"""Many clients of one `listen -k` on 127.0.0.1: the good ones check every byte, others are a burden.

Each ends with status 0 when what it stands for was seen, else with one line on stderr; an alarm ends
it after 30 seconds.
"""
import argparse
import hashlib
import os
import selectors
import signal
import socket
import sys
import time

LIMIT_SECONDS = 30


def say(text):
    print(text, flush=True)


def check(condition, complaint):
    if not condition:
        sys.exit(f"crowd.py: {complaint}")


def connect(port):
    sock = socket.create_connection(("127.0.0.1", port))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def connect_all(args):
    return [connect(args.port) for _ in range(args.count)]


def lines(args):
    """N clients, each of which sends 50 lines of its own in writes of any length, all at once."""
    socks = connect_all(args)
    for number in range(50):
        for client, sock in enumerate(socks):
            sock.sendall(b"%d.%d.%s\n" % (client, number, b"x" * (client * 37 % 900)))
    for sock in socks:
        sock.shutdown(socket.SHUT_WR)
    for sock in socks:
        while sock.recv(65536):
            pass


def gather(args):
    """N clients at once that send a byte and stay until the input ends."""
    socks = connect_all(args)
    for sock in socks:
        sock.sendall(b"x")
    say("UP")
    sys.stdin.read()


def come_and_go(args):
    """N clients, one after the other, each gone before the next."""
    for _ in range(args.count):
        with connect(args.port) as sock:
            sock.sendall(b"x")
            sock.shutdown(socket.SHUT_WR)
            while sock.recv(100):
                pass


def burdened(args):
    """N clients send without end; one that came before them says EARLY, and the input, which is the
    server's stdout and read slowly, has it soon."""
    early = connect(args.port)
    early.sendall(b"here\n")
    heard = b""
    while b"here" not in heard:
        heard = os.read(0, 65536)
    others = connect_all(args)
    for sock in others:
        sock.setblocking(False)
    selector = selectors.DefaultSelector()
    for sock in others:
        selector.register(sock, selectors.EVENT_WRITE)
    end = time.monotonic() + 10
    for turn in range(1 << 30):
        check(time.monotonic() < end, "the others' turn never ends")
        for key, _ in selector.select(0):
            key.fileobj.send(b"x" * 65536)
            try:
                key.fileobj.recv(1 << 20)  # of an echo server
            except BlockingIOError:
                pass
        if turn == 100:
            early.sendall(b"EARLY\n")
        heard = heard[-10:] + os.read(0, 65536)
        if b"EARLY" in heard:
            break


def flood(args):
    """One client sends N bytes; two others get the same bytes, one of them with pauses."""
    data = os.urandom(args.count)
    readers = [connect(args.port), connect(args.port)]
    sender = connect(args.port)
    time.sleep(0.1)  # until all three are known to the server
    sender.setblocking(False)
    for reader in readers:
        reader.settimeout(LIMIT_SECONDS)
    selector = selectors.DefaultSelector()
    selector.register(sender, selectors.EVENT_WRITE)
    for reader in readers:
        selector.register(reader, selectors.EVENT_READ)
    sent, got, hashes = 0, [0, 0], [hashlib.sha256(), hashlib.sha256()]
    while min(got) < len(data):
        for key, _ in selector.select():
            if key.fileobj is sender:
                sent += sender.send(data[sent : sent + 65536])
                if sent == len(data):
                    selector.unregister(sender)
                continue
            which = readers.index(key.fileobj)
            part = key.fileobj.recv(65536)
            check(part, f"reader {which} was disconnected after {got[which]} of {len(data)}")
            hashes[which].update(part)
            got[which] += len(part)
            if which == 1 and got[1] % 50 == 0:
                time.sleep(0.02)
    for digest in hashes:
        check(digest.digest() == hashlib.sha256(data).digest(), "other bytes came")


def slow_pair(args):
    """N bytes to one other client, which reads 64 KiB every 5 ms."""
    data = os.urandom(args.count)
    reader, sender = connect(args.port), connect(args.port)
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    time.sleep(0.1)
    if os.fork() == 0:
        sender.sendall(data)
        os._exit(0)
    got = b""
    while len(got) < len(data):
        time.sleep(0.005)
        part = reader.recv(65536)
        check(part, f"disconnected after {len(got)} of {len(data)} bytes")
        got += part
    check(got == data, "other bytes came")


def half_closed(args):
    """A client that, once it has heard something, says no more and does not read, or reads N bytes,
    16 KiB every 20 ms."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
    sock.connect(("127.0.0.1", args.port))
    say("UP")
    got = len(sock.recv(1))
    sock.shutdown(socket.SHUT_WR)
    if not args.count:
        signal.pause()
    while got < args.count:
        time.sleep(0.02)
        part = len(sock.recv(16384))
        check(part, f"disconnected after {got} of {args.count} bytes")
        got += part


def deaf(args):
    """N clients that do not read, and one that does: it gets all that another sends."""
    stuck = []
    for _ in range(args.count):
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.connect(("127.0.0.1", args.port))
        stuck.append(sock)
    reader, sender = connect(args.port), connect(args.port)
    reader.settimeout(LIMIT_SECONDS)
    time.sleep(0.2)
    data = os.urandom(1 << 16) * 48
    if os.fork() == 0:
        sender.sendall(data)
        os._exit(0)
    got = b""
    while len(got) < len(data):
        part = reader.recv(65536)
        check(part, f"disconnected after {len(got)} of {len(data)} bytes")
        got += part
    check(got == data, "other bytes came")
    say("DONE")
    sys.stdin.read()


def everyone(args):
    """N clients; each says a line, and hears those of all others, each once."""
    socks = connect_all(args)
    time.sleep(0.3)
    for number, sock in enumerate(socks):
        sock.sendall(b"%d\n" % number)
    for number, sock in enumerate(socks):
        sock.settimeout(LIMIT_SECONDS)
        heard = b""
        while heard.count(b"\n") < args.count - 1:
            heard += sock.recv(65536)
        numbers = sorted(int(line) for line in heard.split())
        check(numbers == [n for n in range(args.count) if n != number], f"{number} missed one")


def main():
    signal.alarm(LIMIT_SECONDS)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    for run in [lines, gather, come_and_go, burdened, flood, slow_pair, half_closed, deaf, everyone]:
        sub = commands.add_parser(run.__name__.replace("_", "-"), help=run.__doc__.splitlines()[0])
        sub.set_defaults(run=run)
        sub.add_argument("port", type=int)
        sub.add_argument("count", type=int)
    args = parser.parse_args()
    try:
        args.run(args)
    except OSError as error:
        sys.exit(f"crowd.py: {error}")


main()
