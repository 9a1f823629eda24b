#!/usr/bin/env python3
"""crosswise.py connect|listen FAMILY WHO: 48 MiB each way through sockctl while somebody does not read.

WHO is `far`: the peer reads nothing before it has sent all; `near`: our stdout is read only when
stdin has been taken whole; `both`: everything is full and nobody reads, then the peer does, and
stdout is read when stdin has been taken. FAMILY is tcp or unix. Silent if every byte came through."""
import os
import socket
import subprocess
import sys
import threading
import time

SOCKCTL = os.environ["SOCKCTL"]
SIZE = 48 << 20
PART = 1 << 16
PATTERN = bytes(i * i % 251 for i in range(PART + 251)) * 2


def piece(offset, length):
    """Bytes of the stream that both directions carry: they differ from one place to another."""
    start = offset * 7 % (PART + 251)
    return PATTERN[start:start + length]


class Flow:
    """One direction: a writer and a reader, in threads of their own."""

    def __init__(self, write, end, read):
        self.write, self.end, self.read = write, end, read
        self.sent, self.got, self.wrong = 0, 0, False
        self.may_read = threading.Event()
        self.threads = [threading.Thread(target=work, daemon=True) for work in (self.feed, self.drain)]

    def feed(self):
        while self.sent < SIZE:
            part = piece(self.sent // PART, PART)
            self.write(part)
            self.sent += len(part)
        self.end()

    def drain(self):
        self.may_read.wait()
        got = b""
        while part := self.read(PART):
            got += part
            while len(got) >= PART:
                self.wrong |= got[:PART] != piece(self.got // PART, PART)
                self.got += PART
                got = got[PART:]
        self.wrong |= bool(got)


def wait_stall(flows):
    """Until nothing has moved for 0.3 s."""
    before = None
    while before != (before := [flow.sent for flow in flows]):
        time.sleep(0.3)


def open_pair(role, family):
    """sockctl, with pipes, and the peer's socket."""
    unix = family == "unix"
    stdio = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    server = socket.socket(socket.AF_UNIX if unix else socket.AF_INET)
    if role == "connect":
        server.bind("server" if unix else ("127.0.0.1", 0))
        server.listen()
        address = "unix:server" if unix else "127.0.0.1:%d" % server.getsockname()[1]
        return subprocess.Popen([SOCKCTL, "connect", address], **stdio), server.accept()[0]
    process = subprocess.Popen([SOCKCTL, "listen", "-v", "unix:./client" if unix else "127.0.0.1:0"],
                               stderr=subprocess.PIPE, **stdio)
    port = process.stderr.readline().strip().rsplit(b":", 1)[1]
    server.connect("client" if unix else ("127.0.0.1", int(port)))
    return process, server


def main():
    role, family, who = sys.argv[1:]
    process, peer = open_pair(role, family)
    up = Flow(process.stdin.write, process.stdin.close, peer.recv)
    down = Flow(peer.sendall, lambda: peer.shutdown(socket.SHUT_WR), process.stdout.read1)
    flows = (up, down)
    for thread in up.threads + down.threads:
        thread.start()
    if who == "both":
        wait_stall(flows)
    if who == "far":
        down.may_read.set()
        down.threads[0].join(30)
        up.may_read.set()
    else:
        up.may_read.set()
        up.threads[0].join(30)
        down.may_read.set()
    for flow in flows:
        flow.threads[1].join(30)
    status = process.wait(10)
    if status or any(flow.wrong or flow.got != SIZE for flow in flows):
        sys.exit("status %s; of %d bytes came %s" % (status, SIZE, [flow.got for flow in flows]))


main()
