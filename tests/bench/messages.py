"""Messages a second, all of them printed: unix-serve and unix-send beside the smallest programs.

A sender is done when the server has read everything and closed; then the server is told to end.
"""
import os
import resource
import signal
import statistics
import subprocess
import time

COUNT = 1000000
CLIENTS = 1000
SIZE = 32
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


def transfer(sender, command):
    """Seconds, and CPU seconds of both ends."""
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
    if os.path.getsize("printed") != COUNT * (SIZE + 1):
        raise RuntimeError("messages are missing")
    return seconds, children_cpu() - cpu


def contenders(sockctl):
    """By name: what sends, what serves, and the name of the limit."""
    limit = build()
    one = [limit, "send", str(SIZE), str(COUNT)]
    many = [limit, "crowd", str(SIZE), str(COUNT // CLIENTS), "1", str(CLIENTS)]
    serve = [sockctl, "unix-serve"]
    each, batch = [limit, "serve", "each"], [limit, "serve", "batch"]
    return {
        "limit, a write each": (one + ["1"], each, "limit, a write each"),
        "limit to unix-serve": (one + ["1"], serve, "limit, a write each"),
        "limit, a write for 1,000": (one + ["1000"], batch, "limit, a write for 1,000"),
        "unix-send to unix-serve": ([sockctl, "unix-send"], serve, "limit, a write each"),
        "1,000 clients, limit": (many, each, "1,000 clients, limit"),
        "1,000 clients, unix-serve": (many, serve, "1,000 clients, limit"),
    }


def messages(sockctl, rounds):
    """1,000,000 messages of 32 bytes, from one client, and from 1,000 that take turns."""
    with open("lines", "wb") as lines:
        lines.write((b"x" * SIZE + b"\n") * COUNT)
    found = contenders(sockctl)
    results = {name: [] for name in found}
    for _ in range(rounds):
        for name, (sender, server, _) in found.items():
            results[name].append(transfer(sender, server))
    print("\nmessages of 32 bytes            a second  of limit  CPU us each")
    for name, rows in results.items():
        limits = results[found[name][2]]
        ratio = statistics.median(limit[0] / row[0] for limit, row in zip(limits, rows))
        seconds, cpu = (statistics.median(column) for column in zip(*rows))
        print(f"  {name:26} {COUNT / seconds:11.0f} {ratio:9.2f} {cpu / COUNT * 1e6:12.2f}")
