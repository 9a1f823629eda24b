#!/usr/bin/env python3
"""The other end of unix-serve and unix-send, step by step, the wrong steps included.

    frames.py client PATH STEP…       connects
    frames.py server PATH STEP…       prints READY, accepts one client

A step is a word, or a word and its value:

    frame=TEXT    sends a native frame        int=N       sends a bare native length
    raw=TEXT      sends TEXT, \\xNN decoded    slowly      from here on, a byte at a time
    together=A,B  sends frames in one write   flood=N     sends N frames, numbered, in one write
    fds=N         N descriptors go with what is sent next, files of which each holds its number
    end           shuts down the sending half
    read          reads a frame, prints it    count       reads frames to the end, prints how many
    gone          waits for the other's end, prints "eof" or "reset"
    say=TEXT      prints TEXT                 wait=FILE   waits until FILE is there
    crowd=N       N more connections, each with half a frame
    swell=N       N more connections, each with most of a frame of 1 MiB, or refused in the middle of it
    many=N        N more connections, each with a frame
    pour=N        floods and ends in the background, while the next steps go on
    hang          waits until it is ended     accept      takes another client (a server)
"""
import os
import signal
import socket
import struct
import sys
import threading
import time

LIMIT_SECONDS = 60


def say(text):
    print(text, flush=True)


def frame(text):
    return struct.pack("=i", len(text) + 1) + text + b"\0"


def connect(path):
    conn = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    conn.connect(path)
    return conn


class Peer:
    def __init__(self, role, path):
        self.path = path
        self.slow = False
        self.descriptors = []
        self.crowded = []
        if role == "client":
            self.conn = connect(path)
            return
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(path)
        self.listener.listen(16)
        say("READY")
        self.conn = None
        self.accept()

    def accept(self):
        if self.conn:
            self.conn.close()
        self.conn = self.listener.accept()[0]

    def fds(self, count):
        for number in range(int(count)):
            self.descriptors.append(os.memfd_create("passed"))
            os.pwrite(self.descriptors[-1], b"%d" % number, 0)

    def send(self, data):
        if self.descriptors:
            socket.send_fds(self.conn, [data[:1]], self.descriptors)
            self.descriptors = []
            data = data[1:]
        step = 1 if self.slow else max(len(data), 1)
        for start in range(0, len(data), step):
            self.conn.sendall(data[start : start + step])

    def receive(self, count):
        data = b""
        while len(data) < count:
            part = self.conn.recv(count - len(data))
            if not part:
                return None
            data += part
        return data

    def receive_frame(self):
        head = self.receive(4)
        return self.receive(struct.unpack("=i", head)[0]) if head else None

    def frame(self, text):
        self.send(frame(text.encode()))

    def int(self, number):
        self.send(struct.pack("=i", int(number)))

    def raw(self, text):
        self.send(text.encode().decode("unicode_escape").encode("latin-1"))

    def slowly(self):
        self.slow = True

    def flood(self, count):
        self.send(b"".join(frame(b"%d" % i) for i in range(int(count))))

    def pour(self, count):
        threading.Thread(target=lambda: (self.flood(count), self.end()), daemon=True).start()

    def together(self, texts):
        self.send(b"".join(frame(text.encode()) for text in texts.split(",")))

    def end(self):
        self.conn.shutdown(socket.SHUT_WR)

    def read(self):
        say(self.receive_frame()[:-1].decode())

    def count(self):
        total = 0
        while self.receive_frame():
            total += 1
        say(total)

    def gone(self):
        try:
            while self.conn.recv(65536):
                pass
            say("eof")
        except ConnectionResetError:
            say("reset")

    def say(self, text):
        say(text)

    def wait(self, path):
        while not os.path.exists(path):
            time.sleep(0.01)

    def crowd(self, count):
        for _ in range(int(count)):
            self.crowded.append(connect(self.path))
            self.crowded[-1].sendall(struct.pack("=i", 1 << 20) + b"half")

    def swell(self, count):
        for _ in range(int(count)):
            self.crowded.append(connect(self.path))
            try:
                self.crowded[-1].sendall(struct.pack("=i", 1 << 20) + b"x" * 1000000)
            except ConnectionError:
                pass

    def many(self, count):
        for _ in range(int(count)):
            self.crowded.append(connect(self.path))
            self.crowded[-1].sendall(frame(b"m"))

    def hang(self):
        signal.pause()


def main():
    signal.alarm(LIMIT_SECONDS)
    peer = Peer(sys.argv[1], sys.argv[2])
    for step in sys.argv[3:]:
        word, has_value, value = step.partition("=")
        getattr(peer, word)(*([value] if has_value else []))


main()
