#!/usr/bin/env python3
"""kinds.py: connect with each kind of stdin and of stdout (file, pipe, terminal, socket), byte for byte;
then the end-of-file character of a terminal. Says what was wrong."""
import os
import pty
import socket
import subprocess
import sys
import tempfile
import threading
import tty

SOCKCTL = os.environ["SOCKCTL"]
UP = bytes(range(256)) * 120
DOWN = UP[::-1]
KINDS = ["file", "pipe", "terminal", "socket"]


def input_of(kind):
    """What sockctl reads from; our end, to write UP to (None: it is there)."""
    if kind == "file":
        file = tempfile.TemporaryFile()
        file.write(UP)
        file.seek(0)
        return os.dup(file.fileno()), None
    if kind == "pipe":
        return os.pipe()
    if kind == "terminal":
        ours, theirs = pty.openpty()
        tty.setraw(theirs)
        return theirs, ours
    ours, theirs = socket.socketpair()
    return theirs.detach(), ours.detach()


def output_of(kind):
    """What sockctl writes to; our end, to read from."""
    if kind == "file":
        file = tempfile.TemporaryFile()
        return os.dup(file.fileno()), os.dup(file.fileno())
    if kind == "pipe":
        ours, theirs = os.pipe()
        return theirs, ours
    return input_of(kind)


def read_all(fd, kind, got):
    if kind == "file":
        return
    while len(got) < len(DOWN):
        try:
            part = os.read(fd, 65536)
        except OSError:  # a terminal that nobody has open any more
            break
        if not part:
            break
        got += part


def write_all(fd, kind):
    left = memoryview(UP)
    while left:
        left = left[os.write(fd, left[:4096]):]
    if kind != "terminal":
        os.close(fd)


def serve(server, got):
    """Takes UP, answers DOWN, closes."""
    with server.accept()[0] as peer:
        peer.settimeout(5)
        while len(got) < len(UP):
            got += peer.recv(65536)
        peer.sendall(DOWN)


def transfer(stdin_kind, stdout_kind):
    server = socket.create_server(("127.0.0.1", 0))
    got, out = bytearray(), bytearray()
    stdin, ours_in = input_of(stdin_kind)
    stdout, ours_out = output_of(stdout_kind)
    process = subprocess.Popen([SOCKCTL, "connect", "127.0.0.1", str(server.getsockname()[1])],
                               stdin=stdin, stdout=stdout)
    os.close(stdin)
    workers = [threading.Thread(target=serve, args=(server, got), daemon=True),
               threading.Thread(target=read_all, args=(ours_out, stdout_kind, out), daemon=True)]
    if ours_in is not None:
        workers.append(threading.Thread(target=write_all, args=(ours_in, stdin_kind), daemon=True))
    for worker in workers:
        worker.start()
    status = process.wait(10)
    os.close(stdout)
    for worker in workers:
        worker.join(5)
    if stdout_kind == "file":
        out += os.pread(ours_out, 1 << 20, 0)
    if status or got != UP or out != DOWN:
        return f"{stdin_kind} to {stdout_kind}: status {status}, {len(got)} up, {len(out)} down"
    return None


def end_of_terminal():
    """The end-of-file character ends stdin, and the terminal is left as it was."""
    server = socket.create_server(("127.0.0.1", 0))
    ours, theirs = pty.openpty()
    before = tty.tcgetattr(theirs)
    process = subprocess.Popen([SOCKCTL, "connect", "127.0.0.1", str(server.getsockname()[1])],
                               stdin=theirs, stdout=subprocess.DEVNULL)
    with server.accept()[0] as peer:
        peer.settimeout(5)
        os.write(ours, b"hello\n\x04")
        got = b""
        while part := peer.recv(100):
            got += part
    if process.wait(5) or got != b"hello\n" or tty.tcgetattr(theirs) != before:
        return f"end-of-file character: the peer got {got}"
    return None


def main():
    wrongs = [transfer(i, o) for i in KINDS for o in KINDS] + [end_of_terminal()]
    wrongs = [wrong for wrong in wrongs if wrong]
    print(*wrongs, sep="\n", end="\n" if wrongs else "")
    sys.exit(bool(wrongs))


main()
