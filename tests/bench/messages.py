"""Messages a second, all of them printed: unix-serve, unix-send and listen -k beside the smallest
programs, and listen -k beside ncat.

A sender is done when the server has read everything and closed; then the server is told to end.
"""
import os
import resource
import shutil
import signal
import statistics
import subprocess
import time

from common import in_turn

COUNT = 1000000
CLIENTS = 1000
SIZE = 32
LINE = SIZE + 1  # as it is printed,
FRAME = LINE + 4  # and as it comes
HERE = os.path.dirname(os.path.abspath(__file__))


def build():
    subprocess.run([os.environ.get("CC", "cc"), "-O2", "-D_GNU_SOURCE", "-o", "messages",
                    os.path.join(HERE, "messages.c")], check=True)
    return os.path.abspath("messages")


def children_cpu():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def start_server(command, path):
    with open("printed", "wb") as sink:
        server = subprocess.Popen([*command, path], stdin=subprocess.DEVNULL, stdout=sink)
    while not os.path.exists(path):
        time.sleep(0.01)
    return server


def transfer(sender, command, printed):
    """Seconds, and CPU seconds of both ends; `printed`: bytes a message."""
    path = os.path.abspath("messages.socket")
    if os.path.exists(path):
        os.unlink(path)
    server = start_server(command, path)
    cpu, began = children_cpu(), time.monotonic()
    with open("lines", "rb") as lines:
        subprocess.run([*sender, path], stdin=lines, check=True)
    server.send_signal(signal.SIGTERM)
    server.wait()
    seconds = time.monotonic() - began
    if os.path.getsize("printed") != COUNT * printed:
        raise RuntimeError("messages are missing")
    return seconds, children_cpu() - cpu


def contenders(sockctl):
    """By name: what sends, what serves, the name of the limit, and what is printed of a message."""
    limit = build()
    one = [limit, "send", str(SIZE), str(COUNT)]
    many = [limit, "crowd", str(SIZE), str(COUNT // CLIENTS), "1", str(CLIENTS)]
    serve = [sockctl, "unix-serve"]
    each, batch = [limit, "serve", "each"], [limit, "serve", "batch"]
    keep = [sockctl, "listen", "-kd"]
    found = {
        "limit, a write each": (one + ["1"], each, "limit, a write each", LINE),
        "limit to unix-serve": (one + ["1"], serve, "limit, a write each", LINE),
        "limit, a write for 1,000": (one + ["1000"], batch, "limit, a write for 1,000", LINE),
        "unix-send to unix-serve": ([sockctl, "unix-send"], serve, "limit, a write each", LINE),
        "1,000 clients, limit": (many, each, "1,000 clients, limit", LINE),
        "1,000 clients, unix-serve": (many, serve, "1,000 clients, limit", LINE),
        "1,000 clients, listen -k": (many, keep, "1,000 clients, limit", FRAME),
    }
    if shutil.which("ncat"):
        ncat = ["ncat", "-lkU", "-m", str(2 * CLIENTS), "--recv-only"]
        found["1,000 clients, ncat -lk"] = (many, ncat, "1,000 clients, limit", FRAME)
    return found


def messages(sockctl, rounds):
    """1,000,000 messages of 32 bytes, from one client, and from 1,000 that take turns."""
    with open("lines", "wb") as lines:
        lines.write((b"x" * SIZE + b"\n") * COUNT)
    found = contenders(sockctl)
    results = {name: [] for name in found}
    for _ in range(rounds):
        for name, (sender, server, _, printed) in in_turn(found):
            results[name].append(transfer(sender, server, printed))
    print("\nmessages of 32 bytes            a second  of limit  CPU us each")
    for name, rows in results.items():
        limits = results[found[name][2]]
        ratio = statistics.median(limit[0] / row[0] for limit, row in zip(limits, rows))
        seconds, cpu = (statistics.median(column) for column in zip(*rows))
        print(f"  {name:26} {COUNT / seconds:11.0f} {ratio:9.2f} {cpu / COUNT * 1e6:12.2f}")
