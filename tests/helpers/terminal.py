#!/usr/bin/env python3
"""Runs a program whose stderr is a terminal of a given width.

    terminal.py [--on FDS] WIDTH[,WIDTH…] COMMAND…

FDS says which descriptors are that terminal, "12" for stdout and stderr.

After each three lines that were drawn (they end in a carriage return) the terminal gets the next
width; after the last one the program gets SIGINT, unless it ends by itself before. What it wrote is
on stdout, with "<WIDTH>" where the width changed; the status is the program's. An alarm ends all
after 20 seconds.
"""
import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios

LINES_A_WIDTH = 3


def resize(terminal, width):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    return f"<{width}>".encode()


def follow(terminal, process, widths):
    """What the program writes, up to its end."""
    written = resize(terminal, widths.pop(0))
    drawn = 0
    while True:
        try:
            part = os.read(terminal, 4096)
        except OSError:  # EIO: the program has closed it
            return written
        written += part
        drawn += part.count(b"\033[?7h\r")
        if drawn < LINES_A_WIDTH or widths is None:
            continue
        drawn = 0
        if widths:
            written += resize(terminal, widths.pop(0))
        else:
            process.send_signal(signal.SIGINT)
            widths = None


def main():
    signal.alarm(20)
    arguments = sys.argv[1:]
    fds = "2"
    if arguments[0] == "--on":
        fds = arguments[1]
        arguments = arguments[2:]
    widths = [int(width) for width in arguments[0].split(",")]
    terminal, there = pty.openpty()
    resize(terminal, widths[0])
    stdin, stdout, stderr = (there if fd in fds else None for fd in "012")
    with subprocess.Popen(arguments[1:], stdin=stdin, stdout=stdout, stderr=stderr) as process:
        os.close(there)
        sys.stdout.buffer.write(follow(terminal, process, widths))
        sys.exit(process.wait() % 256)


main()
