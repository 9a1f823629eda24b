#!/usr/bin/env python3
"""Runs a program whose stderr is a terminal of a given width.

    terminal.py WIDTH[,WIDTH…] COMMAND…

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
    widths = [int(width) for width in sys.argv[1].split(",")]
    terminal, stderr = pty.openpty()
    resize(terminal, widths[0])
    with subprocess.Popen(sys.argv[2:], stderr=stderr) as process:
        os.close(stderr)
        sys.stdout.buffer.write(follow(terminal, process, widths))
        sys.exit(process.wait() % 256)


main()
