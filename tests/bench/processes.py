"""Whole processes: how long they take to start, and what they do while idle."""
import os
import shutil
import statistics
import subprocess
import sys
import threading
import time

from common import LIMIT, ROOT, ROUNDS, SOCKCTL


def take_turns(commands, base, title):
    """From exec to exit, in milliseconds, and beside the command of the name `base`."""
    times = {name: [] for name in commands}
    for _ in range(40 * ROUNDS):
        for name, command in commands.items():
            began = time.perf_counter()
            subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
            times[name].append((time.perf_counter() - began) * 1e3)
    base = statistics.median(times[base])
    print(f"\n{title}")
    for name, rows in times.items():
        print(f"  {name:24} {statistics.median(rows):8.2f} {statistics.median(rows) / base:9.2f}")


def start():
    """From exec to exit."""
    commands = {"limit hello": [LIMIT, "hello"], "sockctl --version": [SOCKCTL, "--version"]}
    take_turns(commands, "limit hello", "start to finish                 ms  of hello")


def resolve():
    """Names: the system's resolver beside getaddrinfo(3) alone, and a query of DNS beside dig."""
    commands = {"limit getaddrinfo": [LIMIT, "resolve", "localhost"],
                "sockctl resolve -s": [SOCKCTL, "resolve", "-s", "localhost"],
                "sockctl resolve": [SOCKCTL, "resolve", "localhost"],
                "getent ahosts": ["getent", "ahosts", "localhost"]}
    take_turns(commands, "limit getaddrinfo", "resolve localhost               ms  of limit")
    helper = [sys.executable, os.path.join(ROOT, "tests/helpers/dns.py")]
    server = subprocess.Popen(helper, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if not shutil.which("dig") or server.stdout.readline() != b"READY\n":
        print("\na query of DNS: there is no dig, or no port 53 of our own")
    else:
        threading.Thread(target=server.stdout.read, daemon=True).start()
        commands = {"dig": ["dig", "@127.0.0.1", "v4.test", "A"],
                    "sockctl resolve -t": [SOCKCTL, "resolve", "--server", "127.0.0.1",
                                           "-t", "A", "v4.test"]}
        take_turns(commands, "dig", "a query of DNS                  ms    of dig")
    server.terminate()
    server.wait()


def idle():
    """CPU of a connection on which nothing happens for 2 seconds."""
    server = subprocess.Popen([SOCKCTL, "listen", "127.0.0.1", "0"], stderr=subprocess.PIPE,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    port = server.stderr.readline().decode().strip().rsplit(":", 1)[1]
    client = subprocess.Popen([SOCKCTL, "connect", "127.0.0.1", port],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    time.sleep(0.2)
    before = [switches(process) for process in (server, client)]
    time.sleep(2)
    after = [switches(process) for process in (server, client)]
    client.stdin.close()
    for process in (client, server):
        process.terminate()
        process.wait()
    print("\nidle for 2 s: wake-ups of listen and connect:",
          *(late - early for late, early in zip(after, before)))


def switches(process):
    with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
        return sum(int(line.split()[1]) for line in status if "ctxt_switches" in line)
