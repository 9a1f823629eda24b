#!/usr/bin/env python3
"""An HTTP server that sends exactly what it is given: each FILE to one client, or with --keep so many to
each.

It prints "PORT n" when it is ready ("READY" with --unix) and "CLIENT" for each client, and what it is asked
on stderr. A client that goes away early, having refused what came, is none of its business. An alarm ends
it after 20 seconds.
"""
import argparse
import contextlib
import signal
import socket
import ssl
import struct
import sys
import time

LIMIT_SECONDS = 20


def read_request(conn, end):
    """Up to the line that is the end of a request."""
    request = b""
    while not request.endswith(end):
        part = conn.recv(65536)
        if not part:
            break
        request += part
    sys.stderr.buffer.write(request)
    sys.stderr.buffer.flush()
    return request


def send(conn, data, split, pause):
    if conn.family != socket.AF_UNIX:
        conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    step = split or max(len(data), 1)
    for start in range(0, len(data), step):
        conn.sendall(data[start : start + step])
        if split:
            time.sleep(pause)


def end_close(conn):
    conn.close()


def end_unwrap(conn):
    """In order, as TLS has it."""
    with contextlib.suppress(OSError):
        conn.unwrap()
    conn.close()


def end_reset(conn):
    """Once a line comes on stdin."""
    sys.stdin.readline()
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    conn.close()


def end_stall(conn, kept=[]):
    kept.append(conn)


def listen(path):
    if path is None:
        listener = socket.create_server(("127.0.0.1", 0))
        print(f"PORT {listener.getsockname()[1]}", flush=True)
        return listener
    listener = socket.create_server(path, family=socket.AF_UNIX)
    print("READY", flush=True)
    return listener


def converse(conn, files, args):
    """Answers with the first of the files, and takes them off the list; fewer, if the client ends."""
    for _ in range(args.keep):
        with contextlib.suppress(ConnectionError):
            if not files or not read_request(conn, b"\r\n" if args.bare else b"\r\n\r\n"):
                break
            with open(files.pop(0), "rb") as file:
                send(conn, file.read(), args.split, args.pause)


def main():
    ends = {"close": end_close, "reset": end_reset, "stall": end_stall, "unwrap": end_unwrap}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--split", type=int, default=0, help="so many bytes at a time")
    parser.add_argument("--pause", type=float, default=0.001, help="seconds after each of them")
    parser.add_argument("--end", choices=ends, default="close", help="what follows the answer")
    parser.add_argument("--bare", action="store_true", help="a request is one line, as in HTTP/0.9")
    parser.add_argument("--unix", metavar="PATH", help="a UNIX socket instead of a TCP port")
    parser.add_argument("--keep", type=int, default=1, help="so many answers to each client")
    parser.add_argument("--tls", metavar="NAME", help="TLS with NAME.pem and NAME.key")
    parser.add_argument("files", nargs="+")
    args = parser.parse_args()
    signal.alarm(LIMIT_SECONDS)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if args.tls else None
    if context:
        context.load_cert_chain(args.tls + ".pem", args.tls + ".key")
        context.set_alpn_protocols(["http/1.1"])
    with listen(args.unix) as listener:
        while args.files:
            conn = listener.accept()[0]
            print("CLIENT", flush=True)
            if context:
                try:
                    conn = context.wrap_socket(conn, server_side=True)
                except OSError:
                    continue
                print("ALPN", conn.selected_alpn_protocol(), flush=True)
            converse(conn, args.files, args)
            ends[args.end](conn)
    if args.end == "stall":
        signal.pause()


main()
