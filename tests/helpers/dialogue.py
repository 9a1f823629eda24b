#!/usr/bin/env python3
"""A server that says exactly what a test wants: for each ANSWER (C escapes) it waits for something
to come, prints that in hexadecimal, and sends the answer. Then it echoes, or, with --close, closes;
with --byte it sends the answers byte by byte, and with --silent it says nothing else.

    start proxy python3 "$HELPERS/dialogue.py" '\\5\\0' '\\5\\0\\0\\1\\1\\2\\3\\4\\0\\120'
    wait_file proxy.out '^PORT '; PORT=${LINE#PORT }
"""
import argparse
import signal
import socket


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--close", action="store_true")
    parser.add_argument("--byte", action="store_true")
    parser.add_argument("--silent", action="store_true")
    parser.add_argument("answers", nargs="*")
    args = parser.parse_args()
    signal.alarm(20)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(f"PORT {listener.getsockname()[1]}", flush=True)
        conn, _ = listener.accept()
    conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for answer in args.answers:
        print(conn.recv(65536).hex(), flush=True)
        data = answer.encode("latin-1").decode("unicode_escape").encode("latin-1")
        for piece in [data[i:i + 1] for i in range(len(data))] if args.byte else [data]:
            conn.sendall(piece)
    while not args.close:
        data = conn.recv(65536)
        if not data:
            break
        if not args.silent:
            conn.sendall(data)
    conn.close()


main()
