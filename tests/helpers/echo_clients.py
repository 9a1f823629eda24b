#!/usr/bin/env python3
"""Clients of an echo server that check every byte: well-behaved ones and others.

An ADDRESS is HOST:PORT, [HOST]:PORT or a path. Each ends with status 0 when what it stands for
was seen, else with one line on stderr; an alarm ends it after 20 seconds.
"""
import argparse
import os
import resource
import select
import signal
import socket
import struct
import sys
import time

LIMIT_SECONDS = 20


def say(text):
    print(text, flush=True)


def check(condition, complaint):
    if not condition:
        sys.exit(f"echo_clients.py: {complaint}")


def parse_address(text):
    """The family and what connect() takes."""
    if "/" in text:
        return socket.AF_UNIX, text
    host, port = text.rsplit(":", 1)
    host = host.strip("[]")
    return (socket.AF_INET6 if ":" in host else socket.AF_INET), (host, int(port))


def connect(text, kind=socket.SOCK_STREAM):
    family, address = parse_address(text)
    sock = socket.socket(family, kind)
    sock.connect(address)
    return sock


def read_exactly(sock, count):
    data = b""
    while len(data) < count:
        part = sock.recv(count - len(data))
        check(part, f"the server ended after {len(data)} of {count} bytes")
        data += part
    return data


def payload(number, size):
    return (struct.pack("=I", number) * (size // 4 + 1))[:size]


# Streams.


def ping(args):
    """Sends N lines, each after the answer to the last."""
    with connect(args.address) as sock:
        for number in range(args.count):
            line = b"line %d\n" % number
            sock.sendall(line)
            check(read_exactly(sock, len(line)) == line, "the answer is another line")


def half_close(args):
    """Sends N bytes, shuts its sending half down, and reads them all, then the end."""
    data = os.urandom(args.count)
    with connect(args.address) as sock:
        sock.settimeout(LIMIT_SECONDS)
        poller, sent, got = select.poll(), 0, b""
        sock.setblocking(False)
        poller.register(sock, select.POLLIN | select.POLLOUT)
        while True:
            events = poller.poll()[0][1]
            if events & select.POLLOUT and sent < len(data):
                sent += sock.send(data[sent : sent + 65536])
            elif events & select.POLLOUT:
                sock.shutdown(socket.SHUT_WR)
                poller.modify(sock, select.POLLIN)
            try:
                part = sock.recv(65536)
            except BlockingIOError:
                continue
            if not part:
                break
            got += part
        check(got == data, f"{len(got)} bytes came back, not the same {len(data)}")


def many(args):
    """N clients at once, each of which gets its own bytes."""
    socks = [connect(args.address) for _ in range(args.count)]
    for number, sock in enumerate(socks):
        sock.sendall(payload(number, 1000))
    for number, sock in enumerate(socks):
        check(read_exactly(sock, 1000) == payload(number, 1000), f"client {number}: other bytes")
    for sock in socks:
        sock.close()


def one_by_one(args):
    """N clients, one after the other."""
    for _ in range(args.count):
        with connect(args.address) as sock:
            sock.sendall(b"x")
            check(read_exactly(sock, 1) == b"x", "another byte")


def resets(args):
    """N clients that reset the connection with answers under way."""
    for _ in range(args.count):
        sock = connect(args.address)
        sock.sendall(b"x" * 10000)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()


def never_read(args):
    """Sends until nothing more goes, says STUCK and stays."""
    sock = connect(args.address)
    sock.settimeout(0.3)
    try:
        while True:
            sock.send(b"x" * 65536)
    except TimeoutError:
        say("STUCK")
    signal.pause()


def stay(args):
    """N clients that are served once, say UP and stay until the server ends, then say how
    many milliseconds that took from before they were connected."""
    start = time.monotonic()
    socks = [connect(args.address) for _ in range(args.count)]
    for sock in socks:
        sock.sendall(b"x")
        read_exactly(sock, 1)
    say("UP")
    for sock in socks:
        check(sock.recv(1) == b"", "more than was sent")
    say(f"END {round((time.monotonic() - start) * 1000)}")


def stop_and_go(args):
    """What has arrived when the server (process N) is told to end is still sent back."""
    data = os.urandom(60000)
    with connect(args.address) as sock:
        sock.sendall(b"x")
        read_exactly(sock, 1)
        os.kill(args.count, signal.SIGSTOP)
        sock.sendall(data)
        os.kill(args.count, signal.SIGTERM)
        os.kill(args.count, signal.SIGCONT)
        check(read_exactly(sock, len(data)) == data, "other bytes came back")
        check(sock.recv(1) == b"", "the connection goes on")


def queue(args):
    """N clients that send a byte, and say COUNT n for the n that have an answer, as it grows, until
    the input ends."""
    socks = [connect(args.address) for _ in range(args.count)]
    for sock in socks:
        sock.sendall(b"x")
    served = 0
    poller = select.poll()
    poller.register(0, select.POLLIN)
    for sock in socks:
        poller.register(sock, select.POLLIN)
    while True:
        ready = [fd for fd, _ in poller.poll()]
        for sock in socks:
            if sock.fileno() in ready:
                check(sock.recv(1) == b"x", "the server ended")
                poller.unregister(sock)
                served += 1
                say(f"COUNT {served}")
        if 0 in ready:
            if not os.read(0, 1):
                break
            socks.pop(0).close()


# Messages.

SIZES = [0, 1, 5, 0, 1400, 65507]


def datagrams(args):
    """Datagrams of many sizes, empty ones too, each come back whole and in order."""
    family, address = parse_address(args.address)
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.settimeout(5)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 400000)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 400000)
        if family == socket.AF_UNIX:
            sock.bind("")
        sock.connect(address)
        for number, size in enumerate(SIZES + ([65536, 100000] if family == socket.AF_UNIX else [])):
            sock.send(payload(number, size))
            check(sock.recv(1 << 20) == payload(number, size), f"{size} bytes came back otherwise")


def burst(args):
    """N datagrams of a UNIX client that only then begins to read: all come back, in order."""
    family, address = parse_address(args.address)
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.settimeout(5)
        sock.bind("")
        sock.connect(address)
        for number in range(args.count):
            sock.send(b"%d" % number)
        for number in range(args.count):
            check(sock.recv(100) == b"%d" % number, f"number {number} is missing")


def unnamed(args):
    """A UNIX datagram without a sender's name; there is no answer to wait for."""
    with connect(args.address, socket.SOCK_DGRAM) as sock:
        sock.send(b"x")


def silence(args):
    """No answer to a UDP source port, SOURCE."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(parse_address(args.source)[1])
        sock.settimeout(0.2)
        sock.sendto(b"x", parse_address(args.address)[1])
        try:
            sock.recv(1)
            sys.exit("echo_clients.py: there is an answer")
        except TimeoutError:
            pass


def spoof(args):
    """One datagram to the server that claims to come from SOURCE, or from the server."""
    host, port = parse_address(args.address)[1]
    source = parse_address(args.source)[1][1] if args.source else port
    address = socket.inet_aton(host)
    data = b"loop"
    udp = struct.pack("!HHHH", source, port, 8 + len(data), 0) + data
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, address, address)
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as sock:
        sock.sendto(ip + udp, (host, 0))


def same_again(args):
    """The same datagram N times, each after the answer to the last; few get none."""
    with connect(args.address, socket.SOCK_DGRAM) as sock:
        sock.settimeout(0.15)
        lost = 0
        for _ in range(args.count):
            sock.send(b"ping")
            try:
                check(sock.recv(100) == b"ping", "another answer")
            except TimeoutError:
                lost += 1
        check(lost <= 9, f"{lost} of {args.count} were not answered")


def flood(args):
    """The same datagram N times, eight under way; few get no answer."""
    with connect(args.address, socket.SOCK_DGRAM) as sock:
        sock.settimeout(0.15)
        answers = under_way = 0
        for _ in range(args.count):
            sock.send(b"ping")
            under_way += 1
            while under_way >= 8:
                try:
                    sock.recv(100)
                    answers += 1
                    under_way -= 1
                except TimeoutError:
                    under_way = 0
        check(answers >= args.count * 0.98, f"{answers} answers to {args.count}")


def packets(args):
    """Seqpacket messages of many sizes, empty ones too, each come back whole; then the end."""
    with connect(args.address, socket.SOCK_SEQPACKET) as sock:
        sock.settimeout(5)
        for number, size in enumerate(SIZES + [100000]):
            sock.send(payload(number, size))
            check(sock.recv(1 << 20) == payload(number, size), f"{size} bytes came back otherwise")
        for number in range(5):
            sock.send(b"%d" % number)
        sock.send(b"")
        sock.shutdown(socket.SHUT_WR)
        for number in range(5):
            check(sock.recv(100) == b"%d" % number, f"message {number} is missing")
        check(sock.recv(100) == b"", "the empty message is another")
        check(sock.recv(100) == b"", "there is more than was sent")


def main():
    signal.alarm(LIMIT_SECONDS)
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    counted = [ping, half_close, many, one_by_one, resets, stay, stop_and_go, queue, burst]
    counted += [same_again, flood]
    for run in counted + [never_read, datagrams, unnamed, silence, spoof, packets]:
        name = run.__name__.replace("_", "-")
        sub = commands.add_parser(name, help=run.__doc__.splitlines()[0])
        sub.set_defaults(run=run)
        sub.add_argument("address")
        if run in counted:
            sub.add_argument("count", type=int)
        if run in (silence, spoof):
            sub.add_argument("source", nargs="?")
    args = parser.parse_args()
    try:
        args.run(args)
    except OSError as error:
        sys.exit(f"echo_clients.py: {error}")


main()
