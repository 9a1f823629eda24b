#!/usr/bin/env python3
"""The other end of a test: peers that behave in one exact way, the wrong ways included.

A TCP peer serves one client on 127.0.0.1 and a free port, which it prints as "PORT n" when it is
ready; with --connect PORT it is itself the client. Each ends by itself when its part is over, or is
ended by an alarm after 20 seconds.

    start peer python3 "$HELPERS/peer.py" send-close 'one line'
    wait_file peer.out '^PORT '; PORT=${LINE#PORT }
"""
import argparse
import fcntl
import signal
import socket
import struct
import sys
import termios
import time

LIMIT_SECONDS = 20


def say(text):
    print(text, flush=True)


def write_out(data):
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def reset(conn):
    """Closes with RST instead of FIN."""
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    conn.close()


def read_exactly(conn, count):
    """`count` bytes, or fewer where the other side ended before."""
    data = b""
    while len(data) < count:
        part = conn.recv(min(count - len(data), 65536))
        if not part:
            break
        data += part
    return data


# Getting a connection.


def tcp_listener():
    listener = socket.create_server(("127.0.0.1", 0))
    say(f"PORT {listener.getsockname()[1]}")
    return listener


def tcp_peer(args):
    if args.connect:
        return socket.create_connection(("127.0.0.1", args.connect))
    with tcp_listener() as listener:
        return listener.accept()[0]


# TCP.


def tell_end(args):
    """Writes what it gets, and then a line: END or RESET."""
    with tcp_peer(args) as conn:
        try:
            while part := conn.recv(65536):
                write_out(part)
            say("END")
        except ConnectionResetError:
            say("RESET")


def send_close(args):
    """Sends TEXT and closes."""
    with tcp_peer(args) as conn:
        conn.sendall(args.text.encode())


def recv_once(args):
    """Reads once, prints what came, closes."""
    with tcp_peer(args) as conn:
        write_out(conn.recv(1024))


def rst_after(args):
    """Reads N bytes and resets the connection."""
    conn = tcp_peer(args)
    read_exactly(conn, args.count)
    reset(conn)


def send_rst(args):
    """Reads a byte, sends N and, once the other end's TCP has them all, resets the connection."""
    conn = tcp_peer(args)
    read_exactly(conn, 1)
    conn.sendall(b"x" * args.count)
    while fcntl.ioctl(conn, termios.TIOCOUTQ, bytes(4)) != bytes(4):
        time.sleep(0.01)
    reset(conn)


def end_first(args):
    """Ends its sending at once, pauses for longer than a silence, and counts what comes."""
    with tcp_peer(args) as conn:
        conn.shutdown(socket.SHUT_WR)
        time.sleep(0.7)
        count = 0
        while part := conn.recv(65536):
            count += len(part)
        say(f"GOT {count}")


def fill_rst(args):
    """Sends until nothing has been taken for 0.2 s, and resets the connection."""
    conn = tcp_peer(args)
    conn.settimeout(0.2)
    try:
        while True:
            conn.send(b"x" * 65536)
    except TimeoutError:
        reset(conn)
        say("RESET")


def stall(args):
    """Never reads and never writes, until it is ended."""
    with tcp_peer(args):
        signal.pause()


def read_request(conn):
    """Up to the empty line of a request (or the end); what came goes to stderr."""
    request = b""
    while not request.endswith(b"\r\n\r\n"):
        part = conn.recv(1)
        if not part:
            break
        request += part
    sys.stderr.buffer.write(request)
    sys.stderr.buffer.flush()
    return request


def send_file(conn, path, split):
    with open(path, "rb") as file:
        data = file.read()
    step = split or max(len(data), 1)
    conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for start in range(0, len(data), step):
        conn.sendall(data[start : start + step])
        if split:
            time.sleep(0.001)


def scripted(args):
    """Answers a request with the exact bytes of FILE and closes: each FILE on a connection of its
    own, or with --keep all on one."""
    with tcp_listener() as listener:
        conn = None
        for path in args.files:
            if conn is None or not args.keep:
                conn = listener.accept()[0]
            if read_request(conn):
                send_file(conn, path, args.split)
            if not args.keep:
                conn.close()
        if args.keep:
            conn.close()


# UDP.


def udp_echo(_args):
    """Sends each datagram back."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        say(f"PORT {sock.getsockname()[1]}")
        while True:
            sock.sendto(*sock.recvfrom(65535))


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)

    def add(name, run, *operands, tcp=False, **kinds):
        sub = commands.add_parser(name, help=run.__doc__.splitlines()[0])
        sub.set_defaults(run=run)
        for operand in operands:
            sub.add_argument(operand, **kinds)
        if tcp:
            sub.add_argument("--connect", metavar="PORT", type=int)
        return sub

    add("send-close", send_close, "text", tcp=True)
    add("recv-once", recv_once, tcp=True)
    add("tell-end", tell_end, tcp=True)
    add("rst-after", rst_after, "count", tcp=True, type=int)
    add("send-rst", send_rst, "count", tcp=True, type=int)
    add("end-first", end_first, tcp=True)
    add("fill-rst", fill_rst, tcp=True)
    add("stall", stall, tcp=True)
    script = add("scripted", scripted, "files", nargs="+")
    script.add_argument("--split", type=int, default=0, metavar="N", help="N bytes at a time")
    script.add_argument("--keep", action="store_true", help="one connection for all")
    add("udp-echo", udp_echo)
    return parser.parse_args()


def main():
    signal.alarm(LIMIT_SECONDS)
    args = parse()
    try:
        args.run(args)
    except OSError as error:
        sys.exit(f"peer.py {args.command}: {error}")


main()
