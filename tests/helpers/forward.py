#!/usr/bin/env python3
"""Both sides of a forwarder: starts `sockctl listen … --to …` between clients and a far side of its
own, and checks what passes. Each case ends with SIGTERM, which has to be a success.

    forward.py CASE [ARGUMENTS…]        SOCKCTL is the program; ends with status 0 if all is well
"""
import asyncio
import itertools
import os
import re
import resource
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

LIMIT_SECONDS = 30
# Of UDP and UNIX datagrams, the far side is bound, and is the one end of all flows.
DATAGRAMS = {"udp4": ("127.0.0.1", 0), "udp6": ("::1", 0), "dgram": None}
STREAMS = ("tcp4", "tcp6", "unix", "abstract")
FAMILIES = {"tcp4": socket.AF_INET, "tcp6": socket.AF_INET6,
            "udp4": socket.AF_INET, "udp6": socket.AF_INET6}
V2 = b"\r\n\r\n\0\r\nQUIT\n"


def has_ipv6():
    """On loopback: the kernel may know it, and have it turned off."""
    try:
        socket.socket(socket.AF_INET6).bind(("::1", 0))
        return True
    except OSError:
        return False


HERE = [kind for kind in (*STREAMS, *DATAGRAMS) if has_ipv6() or not kind.endswith("6")]


def among(pairs):
    """Those of the pairs of kinds that this machine has."""
    return [pair for pair in pairs if set(pair) <= set(HERE)]


def family_of(kind):
    return FAMILIES.get(kind, socket.AF_UNIX)


def type_of(kind):
    if kind in DATAGRAMS:
        return socket.SOCK_DGRAM
    return {"seqpacket": socket.SOCK_SEQPACKET}.get(kind, socket.SOCK_STREAM)


def name_of(kind, side):
    """Where to bind, and how sockctl is told of it."""
    if kind in ("tcp4", "udp4"):
        return ("127.0.0.1", 0), kind[:3] + ":127.0.0.1:0"
    if kind in ("tcp6", "udp6"):
        return ("::1", 0), kind[:3] + ":[::1]:0"
    if kind == "abstract":
        name = f"sockctl-{os.getpid()}-{side}-{time.monotonic_ns()}"
        return "\0" + name, "unix:@" + name
    path = tempfile.mktemp(prefix=side, dir=".")
    return path, {"seqpacket": "unix-seqpacket:", "dgram": "unix-dgram:"}.get(kind, "unix:") + path


def take(sock, length):
    """So many bytes, in however many pieces they come: with a time limit, MSG_WAITALL takes less."""
    got = b""
    while len(got) < length:
        piece = sock.recv(length - len(got))
        assert piece, f"an end after {got!r}"
        got += piece
    return got


class Forwarder:
    def __init__(self, near, far, *options, up=True, descriptors=None,
                 wildcard=False):
        name, text = name_of(far, "far")
        self.far = socket.socket(family_of(far), type_of(far))
        self.far.settimeout(LIMIT_SECONDS)
        self.far.bind(name)
        if up and far not in DATAGRAMS:
            self.far.listen(1024)
        if family_of(far) != socket.AF_UNIX:
            text = text[:-1] + str(self.far.getsockname()[1])
        self.near_kind = near
        self.address, text_near = name_of(near, "near")
        if wildcard:
            text_near = text_near.replace("127.0.0.1", "0.0.0.0")
        self.process = subprocess.Popen(
            [os.environ["SOCKCTL"], "listen", "-v", text_near, "--to", text, *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            preexec_fn=descriptors and (lambda: resource.setrlimit(
                resource.RLIMIT_NOFILE, (descriptors, descriptors))))
        line = self.process.stderr.readline().decode()
        assert "listening on" in line, line
        if family_of(near) != socket.AF_UNIX:
            self.address = (self.address[0], int(line.rsplit(":", 1)[1]))

    def client(self):
        conn = socket.socket(family_of(self.near_kind), type_of(self.near_kind))
        conn.settimeout(LIMIT_SECONDS)
        if self.near_kind == "dgram":
            conn.bind("")  # a name of the kernel's choice
        conn.connect(self.address)
        return conn

    def accept(self):
        conn = self.far.accept()[0]
        conn.settimeout(LIMIT_SECONDS)
        return conn

    def pair(self):
        client = self.client()
        return client, self.accept()

    def said(self, pattern):
        """Reads stderr until a line matches."""
        while True:
            line = self.process.stderr.readline().decode()
            assert line, f"no line matches {pattern}"
            if re.search(pattern, line):
                return line

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        out, err = self.process.communicate(timeout=LIMIT_SECONDS)
        assert self.process.returncode == 0, (self.process.returncode, err)
        assert out == b"", out
        self.far.close()
        return err.decode(), time.monotonic() - began


def reset(conn):
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    conn.close()


def read_all(conn):
    data = bytearray()
    while part := conn.recv(1 << 18):
        data += part
    return bytes(data)


def expect_reset(conn):
    try:
        while conn.recv(1 << 16):
            pass
    except ConnectionResetError:
        return
    raise AssertionError("an end in place of a reset")


def fds(process):
    return len(os.listdir(f"/proc/{process.pid}/fd"))


# Streams.


async def exchange(reader, writer, sent, expected):
    """Sends all of it while as much comes back, then the end, and awaits the end."""
    async def send():
        writer.write(sent)
        await writer.drain()
        writer.write_eof()
    task = asyncio.ensure_future(send())
    assert await reader.read(-1) == expected
    await task
    writer.close()


async def many_clients(forwarder, count, size):
    async def echo(reader, writer):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
        writer.close()

    async def client():
        sent = os.urandom(size)
        if family_of(forwarder.near_kind) == socket.AF_UNIX:
            reader, writer = await asyncio.open_unix_connection(forwarder.address)
        else:
            reader, writer = await asyncio.open_connection(*forwarder.address)
        await exchange(reader, writer, sent, sent)

    start = asyncio.start_unix_server if forwarder.far.family == socket.AF_UNIX else asyncio.start_server
    server = await start(echo, sock=forwarder.far, backlog=1024)
    await asyncio.wait_for(asyncio.gather(*(client() for _ in range(count))), LIMIT_SECONDS)
    server.close()


def any_to_any():
    for near, far in among(itertools.product(STREAMS, STREAMS)):
        forwarder = Forwarder(near, far)
        forwarder.far.setblocking(False)
        asyncio.run(many_clients(forwarder, 3, 1 << 20))
        forwarder.stop()


def many(count, size):
    forwarder = Forwarder("tcp4", "unix")
    forwarder.far.setblocking(False)
    before = fds(forwarder.process)
    asyncio.run(many_clients(forwarder, int(count), int(size)))
    deadline = time.monotonic() + 5
    # A few pipes may be kept for the next stream.
    while fds(forwarder.process) > before + 8 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert fds(forwarder.process) <= before + 8
    err, _ = forwarder.stop()
    assert len(re.findall(r"closed .* bytes in, \d+ out$", err, re.M)) == int(count), err


def seqpacket():
    forwarder = Forwarder("seqpacket", "seqpacket")
    client, far = forwarder.pair()
    for message in (b"one", b"", b"x" * 100000, b"two"):
        client.send(message)
        assert far.recv(1 << 20) == message
        far.send(message)
        assert client.recv(1 << 20) == message
    client.shutdown(socket.SHUT_WR)
    assert far.recv(1 << 20) == b""
    far.close()
    assert client.recv(1 << 20) == b""
    forwarder.stop()
    forwarder = Forwarder("tcp4", "seqpacket")
    client, far = forwarder.pair()
    client.send(b"bytes")
    assert far.recv(1 << 20) == b"bytes"
    for _ in range(100):
        far.send(b"y" * 50000)
        assert take(client, 50000) == b"y" * 50000
    forwarder.stop()


def half_close():
    for near, far in among((("tcp4", "unix"), ("unix", "tcp6"), ("tcp6", "tcp4"))):
        for turn in (0, 1):
            forwarder = Forwarder(near, far)
            pair = forwarder.pair()
            first, second = pair[turn], pair[1 - turn]
            first.sendall(b"question")
            first.shutdown(socket.SHUT_WR)
            assert read_all(second) == b"question"
            # The other direction is as open as it was.
            for _ in range(10):
                second.sendall(b"answer")
                assert take(first, 6) == b"answer"
            second.shutdown(socket.SHUT_WR)
            assert first.recv(1) == b""
            forwarder.said("closed .*: (8 bytes in, 60 out|60 bytes in, 8 out)$")
            forwarder.stop()


def passes_reset():
    for turn in (0, 1):
        forwarder = Forwarder("tcp4", "tcp4")
        pair = forwarder.pair()
        first, second = pair[turn], pair[1 - turn]
        first.sendall(b"x" * 1000)
        assert take(second, 1000)
        reset(first)
        expect_reset(second)
        forwarder.said("closed .*, reset$")
        forwarder.stop()


def reset_after_half_close():
    """One has ended its half; then, while nothing is read from it, it resets."""
    for turn in (0, 1):
        forwarder = Forwarder("tcp4", "tcp4")
        pair = forwarder.pair()
        first, second = pair[turn], pair[1 - turn]
        first.shutdown(socket.SHUT_WR)
        assert second.recv(1) == b""
        reset(first)
        second.settimeout(LIMIT_SECONDS)
        expect_reset_or_broken(second)
        forwarder.said("closed .*, reset$")
        forwarder.stop()


def expect_reset_or_broken(conn):
    """What was at its end when the reset came: the next write says so."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            conn.send(b"x")
        except (ConnectionResetError, BrokenPipeError):
            return
        time.sleep(0.01)
    raise AssertionError("the reset was not passed on")


def reset_comes_last():
    """What was sent before a reset, and read, still gets there, though the receiver is slow."""
    forwarder = Forwarder("tcp4", "tcp4")
    client, far = forwarder.pair()
    client.setblocking(False)
    sent = 0
    deadline = time.monotonic() + 5
    stuck = 0
    while stuck < 10 and time.monotonic() < deadline:
        try:
            sent += client.send(b"z" * 65536)
            stuck = 0
        except BlockingIOError:
            stuck += 1
            time.sleep(0.02)
    reset(client)
    got = 0
    try:
        while part := far.recv(1 << 16):
            got += len(part)
        raise AssertionError("an end in place of a reset")
    except ConnectionResetError:
        pass
    assert got > 65536, (got, sent)
    forwarder.stop()


def gone_far_side():
    forwarder = Forwarder("tcp4", "tcp4", up=False)
    try:
        expect_reset(forwarder.client())
    except ConnectionResetError:
        pass  # before connect(2) has returned
    forwarder.said(r"^sockctl: 127.0.0.1:\d+: connect to 127.0.0.1:\d+: Connection refused$")
    forwarder.far.listen(5)
    client, far = forwarder.pair()
    client.sendall(b"now")
    assert far.recv(3) == b"now"
    forwarder.stop()


def slow_far_side(limit):
    """The far side does not complete its handshake: -w ends it."""
    forwarder = Forwarder("tcp4", "tcp4", "-w", limit, up=False)
    forwarder.far.listen(0)
    filler = [socket.socket() for _ in range(4)]
    for conn in filler:
        conn.setblocking(False)
        conn.connect_ex(forwarder.far.getsockname())
    client = forwarder.client()
    expect_reset(client)
    forwarder.said("timed out")
    forwarder.stop()


def idle():
    forwarder = Forwarder("tcp4", "tcp4", "-i", "800ms")
    client, far = forwarder.pair()
    began = time.monotonic()
    for _ in range(8):
        client.sendall(b"x")
        assert far.recv(1) == b"x"
        time.sleep(0.15)
    expect_reset(client)
    expect_reset(far)
    assert time.monotonic() - began >= 1.8
    forwarder.said("closed .*, timeout$")
    forwarder.stop()


def max_conns():
    forwarder = Forwarder("tcp4", "tcp4", "-m", "2")
    pairs = [forwarder.pair() for _ in range(2)]
    third = forwarder.client()
    third.sendall(b"third")
    forwarder.far.settimeout(0.2)
    try:
        forwarder.far.accept()
        raise AssertionError("a third one at a time")
    except TimeoutError:
        pass
    pairs[0][0].close()
    pairs[0][1].close()
    forwarder.far.settimeout(LIMIT_SECONDS)
    assert take(forwarder.accept(), 5) == b"third"
    forwarder.stop()


def back_pressure():
    forwarder = Forwarder("tcp4", "tcp4")
    client, far = forwarder.pair()
    other, other_far = forwarder.pair()
    client.setblocking(False)
    stuck = sent = 0
    while stuck < 10:
        try:
            sent += client.send(b"z" * 65536)
            stuck = 0
        except BlockingIOError:
            stuck += 1
            time.sleep(0.02)
        assert sent < 1 << 28
    other.sendall(b"me too")
    assert take(other_far, 6) == b"me too"
    with open(f"/proc/{forwarder.process.pid}/status", encoding="ascii") as status:
        memory = int(re.search(r"VmRSS:\s+(\d+)", status.read())[1])
    assert os.environ.get("SOCKCTL_SANITIZED") or memory < 8192, memory
    client.setblocking(True)
    client.shutdown(socket.SHUT_WR)
    assert len(read_all(far)) == sent
    forwarder.stop()


def terminate():
    forwarder = Forwarder("tcp4", "tcp4")
    client, far = forwarder.pair()
    stuck, _ = forwarder.pair()
    stuck.setblocking(False)
    try:
        while True:
            stuck.send(b"z" * 65536)
    except BlockingIOError:
        pass
    client.sendall(b"last words")
    assert take(far, 10) == b"last words"
    err, seconds = forwarder.stop()
    expect_reset(far)
    expect_reset(client)
    assert seconds < 3, seconds  # of which half a second is its patience
    assert "closed" in err and ", signal" in err, err


def cut_is_no_end(far_kind, *options):
    """Who has not got all is reset, but not before what was on its way has arrived; who has is not."""
    forwarder = Forwarder("tcp4", far_kind, *options)
    size = 50000
    client, far = forwarder.pair()
    cut_client, cut_far = forwarder.pair()
    client.sendall(b"question")
    client.shutdown(socket.SHUT_WR)
    assert read_all(far) == b"question"
    far.sendall(b"half of the ans")
    cut_client.sendall(b"z" * size)
    if not options:
        time.sleep(0.1)
        forwarder.process.send_signal(signal.SIGTERM)
    got = 0
    try:
        while part := cut_far.recv(1 << 16):
            got += len(part)
        assert far_kind == "unix", "an end in place of a reset"
    except ConnectionResetError:
        pass
    assert got == size, got
    assert take(client, 15) == b"half of the ans"
    expect_reset(client)
    assert far.recv(1) == b"", "a reset in place of an end"
    forwarder.process.communicate(timeout=LIMIT_SECONDS)
    assert forwarder.process.returncode == (5 if options else 0), forwarder.process.returncode


def few_descriptors():
    """Clients that there are no descriptors for wait until others have gone."""
    forwarder = Forwarder("tcp4", "tcp4", descriptors=16)
    pairs = []
    forwarder.far.settimeout(0.5)
    clients = [forwarder.client() for _ in range(12)]
    try:
        while True:
            pairs.append(forwarder.accept())
    except TimeoutError:
        pass
    assert 0 < len(pairs) < 12, len(pairs)
    for far in pairs:
        far.close()
    for client in clients[:len(pairs)]:
        assert client.recv(1) == b""
        client.close()
    assert forwarder.accept()
    forwarder.stop()


# Datagrams.


def datagrams():
    for near, far in among((("udp4", "udp4"), ("udp6", "udp4"), ("udp4", "dgram"), ("dgram", "udp6"))):
        forwarder = Forwarder(near, far)
        clients = [forwarder.client() for _ in range(5)]
        flows = []
        for number, client in enumerate(clients):
            client.send(b"hello %d" % number)
            data, flow = forwarder.far.recvfrom(1 << 16)
            assert data == b"hello %d" % number
            flows.append(flow)
        assert len(set(flows)) == 5
        for number, (client, flow) in enumerate(zip(clients, flows)):
            for size in (0, 1, 1400, 9000):
                forwarder.far.sendto(bytes([number]) * size, flow)
                assert client.recv(1 << 16) == bytes([number]) * size
                client.send(bytes([number]) * size)
                assert forwarder.far.recvfrom(1 << 16) == (bytes([number]) * size, flow)
        err, _ = forwarder.stop()
        assert len(re.findall("closed .*, signal$", err, re.M)) == 5, err


def answers_from_where_it_was_asked():
    """On a socket of all addresses, the answer comes from the one that the client knows."""
    forwarder = Forwarder("udp4", "udp4", wildcard=True)
    client = forwarder.client()
    client.connect(("127.0.0.2", forwarder.address[1]))
    client.send(b"question")
    _, flow = forwarder.far.recvfrom(100)
    forwarder.far.sendto(b"answer", flow)
    assert client.recv(100) == b"answer"
    forwarder.stop()


def flow_limits():
    forwarder = Forwarder("udp4", "udp4", "-m", "2", "-i", "1s")
    clients = [forwarder.client() for _ in range(3)]
    for client in clients:
        client.send(b"x")
        forwarder.far.recvfrom(10)
    forwarder.said("closed 127.0.0.1:%d: 1 byte in, 0 out$" % clients[0].getsockname()[1])
    for client in clients[1:]:
        forwarder.said("closed 127.0.0.1:%d: 1 byte in, 0 out, timeout$" % client.getsockname()[1])
    # Who comes again gets a new flow.
    clients[1].send(b"again")
    data, flow = forwarder.far.recvfrom(10)
    forwarder.far.sendto(b"yes", flow)
    assert data == b"again" and clients[1].recv(10) == b"yes"
    forwarder.stop()


def far_side_of_datagrams_comes_late():
    """A refusal costs what was sent, and nothing else."""
    forwarder = Forwarder("udp4", "udp4")
    name = forwarder.far.getsockname()
    client = forwarder.client()
    forwarder.far.close()
    client.send(b"lost")
    time.sleep(0.05)
    forwarder.far = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    forwarder.far.bind(name)
    forwarder.far.settimeout(0.2)
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        client.send(b"found")
        try:
            assert forwarder.far.recv(10) == b"found"
            break
        except TimeoutError:
            pass
    else:
        raise AssertionError("nothing came")
    forwarder.stop()


# The PROXY protocol.


def sends_proxy():
    forwarder = Forwarder("tcp4", "unix", "--send-proxy")
    client, far = forwarder.pair()
    client.sendall(b"data")
    header = take(far, 28)
    source, destination = client.getsockname(), client.getpeername()
    assert header == V2 + b"\x21\x11\0\x0c" + socket.inet_aton(source[0]) + socket.inet_aton(
        destination[0]) + struct.pack("!HH", source[1], destination[1]), header
    assert take(far, 4) == b"data"
    client.close()
    far.close()
    forwarder.said("closed .*: 4 bytes in, 0 out$")
    forwarder.stop()
    for near, far in among((("tcp6", "tcp4"),)):
        forwarder = Forwarder(near, far, "--send-proxy")
        client, far = forwarder.pair()
        header = take(far, 52)
        assert header[12:16] == b"\x21\x21\0\x24" and header[31] == 1, header
        assert struct.unpack("!HH", header[48:]) == (client.getsockname()[1], client.getpeername()[1])
        forwarder.stop()
    for name in b"./client", b"\0client":
        forwarder = Forwarder("unix", "tcp4", "--send-proxy")
        client = socket.socket(socket.AF_UNIX)
        client.bind(name)
        client.connect(forwarder.address)
        header = take(forwarder.accept(), 232)
        assert header[12:16] == b"\x21\x31\0\xd8", header
        assert header[16:124].rstrip(b"\0") == name, header
        assert header[124:].rstrip(b"\0").decode() == forwarder.address
        forwarder.stop()
    forwarder = Forwarder("unix", "tcp4", "--send-proxy")
    client, far = forwarder.pair()
    client.sendall(b"data")
    assert take(far, 20) == V2 + b"\x20\0\0\0data"
    forwarder.stop()


HEADERS = (b"PROXY TCP4 192.0.2.1 203.0.113.2 12345 443\r\n",
           V2 + b"\x21\x11\0\x0c\xc0\0\2\1\xcb\0\x71\2\x30\x39\1\xbb",
           V2 + b"\x21\x11\x08\x13\xc0\0\2\1\xcb\0\x71\2\x30\x39\1\xbb\4\x08\4" + b"t" * 2052)


def accepts_proxy():
    for header in HEADERS:
        for pieces in (len(header) + 4, 1 if len(header) < 100 else 100):
            forwarder = Forwarder("tcp4", "tcp4", "--accept-proxy", "--send-proxy")
            client = forwarder.client()
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            whole = header + b"data"
            for at in range(0, len(whole), pieces):
                client.sendall(whole[at:at + pieces])
            far = forwarder.accept()
            assert take(far, 28) == HEADERS[1]
            assert take(far, 4) == b"data"
            forwarder.said("accepted 192.0.2.1:12345$")
            forwarder.stop()
    forwarder = Forwarder("tcp4", "tcp4", "--accept-proxy")
    client = forwarder.client()
    client.sendall(b"PROXY UNKNOWN\r\ndata")
    assert take(forwarder.accept(), 4) == b"data"
    forwarder.said(f"accepted 127.0.0.1:{client.getsockname()[1]}$")
    forwarder.stop()


def refuses_headers():
    forwarder = Forwarder("tcp4", "tcp4", "--accept-proxy", "-w", "1s")
    for bad in (b"GET / HTTP/1.0\r\n\r\n", b"PROXY TCP4 1.2.3.4\r\n", V2 + b"\x31\x11\0\0"):
        client = forwarder.client()
        client.sendall(bad)
        try:
            assert client.recv(1) == b""
        except ConnectionResetError:
            pass
        forwarder.said(r"sockctl: 127.0.0.1:\d+: malformed or no PROXY header$")
    client = forwarder.client()
    client.sendall(b"PROXY TCP4")
    assert client.recv(1) == b""
    forwarder.said("no PROXY header within the time limit")
    client = forwarder.client()
    client.sendall(b"PROXY TCP4")
    client.shutdown(socket.SHUT_WR)
    forwarder.said("ended before its PROXY header was complete")
    client = forwarder.client()
    client.sendall(HEADERS[0])
    assert forwarder.accept()
    forwarder.stop()


def main():
    signal.alarm(LIMIT_SECONDS)
    cases = {name: value for name, value in globals().items() if callable(value)}
    cases[sys.argv[1]](*sys.argv[2:])


main()
