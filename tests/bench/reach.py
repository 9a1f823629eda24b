"""The parts `race` and `probe` of tests/bench/run: how long it takes to be connected where the first
addresses of a name are dead, and to probe all ports of a host, beside nc, ncat, socat and curl.

RACE_SECONDS=15 is how long one of them may take; what takes longer is shown as more than that.
"""
import os
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time

from common import in_turn

HERE = os.path.dirname(os.path.abspath(__file__))
DROPPING = os.path.join(os.path.dirname(HERE), "helpers", "dropping")
SECONDS = float(os.environ.get("RACE_SECONDS", "15"))
CASES = {"dual.test": "dead IPv6", "four.test": "dead IPv4", "three.test": "three dead",
         "refused.test": "refused", "six.test": "three dead IPv6"}


def contenders(sockctl, name):
    return {
        "sockctl": [sockctl, "connect", name, "7"],
        "nc.openbsd": ["nc.openbsd", "-z", name, "7"],
        "nc.openbsd -w 3": ["nc.openbsd", "-w", "3", "-z", name, "7"],
        "nc.traditional": ["nc.traditional", "-z", name, "7"],
        "ncat": ["ncat", "-z", name, "7"],
        "socat": ["socat", "-u", "OPEN:/dev/null", f"TCP:{name}:7"],
        # An echo server sends the request back: enough for curl to say that this is not HTTP.
        "curl": ["curl", "-sS", "-o", "/dev/null", f"http://{name}:7/"],
    }


def run_for(command, limit_seconds):
    """Its status and how long it took. A wait with a timeout would look every 50 ms only."""
    began = time.monotonic()
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as process:
        limit = threading.Timer(limit_seconds, process.kill)
        limit.start()
        status = process.wait()
        limit.cancel()
    return status, time.monotonic() - began


def time_connect(command, tool):
    """Seconds until it has been connected and has ended, as a text."""
    status, seconds = run_for(command, SECONDS)
    if seconds >= SECONDS:
        return f"> {SECONDS:g}"
    # 1: what curl says of an answer that is not HTTP.
    good = (0, 1) if tool == "curl" else (0,)
    return ("" if status in good else "fails ") + f"{seconds:.3f}"


def race_inside(sockctl):
    """In the namespace of tests/helpers/dropping."""
    print("\nseconds to be connected to the last address, the good one\n" + " " * 16
          + "".join(f"{title:>17}" for title in CASES.values()))
    for tool, example in contenders(sockctl, "x").items():
        if shutil.which(example[0]):
            times = [time_connect(contenders(sockctl, name)[tool], tool) for name in CASES]
            print(f"{tool:16}" + "".join(f"{text:>17}" for text in times), flush=True)


def race(sockctl):
    command = ["unshare", "-rnm", DROPPING, sockctl, sys.executable, os.path.abspath(__file__),
               sockctl]
    if subprocess.run(command, check=False).returncode:
        print("race: no namespace of our own")


def probe(sockctl, rounds):
    """Ports a second of 127.0.0.1, of which two are open."""
    commands = {
        "sockctl": [sockctl, "connect", "-z", "127.0.0.1", "1-65535"],
        "sockctl --parallel 1": [sockctl, "connect", "-z", "--parallel", "1", "127.0.0.1",
                                 "1-65535"],
        "nc.openbsd -z": ["nc.openbsd", "-z", "-n", "127.0.0.1", "1-65535"],
        "nc.traditional -z": ["nc.traditional", "-z", "-n", "127.0.0.1", "1-65535"],
    }
    commands = {name: command for name, command in commands.items() if shutil.which(command[0])}
    took = {name: [] for name in commands}
    with socket.create_server(("127.0.0.1", 0)), socket.create_server(("127.0.0.1", 0)):
        for _ in range(rounds):
            for name, command in in_turn(commands):
                took[name].append(run_for(command, 120)[1])
    print("\nprobing 65,535 ports of 127.0.0.1\n" + " " * 22 + "   seconds   ports/s   of sockctl's")
    base = statistics.median(took["sockctl"])
    for name, times in took.items():
        middle = statistics.median(times)
        print(f"{name:22}{middle:10.2f}{65535 / middle:10.0f}{base / middle:15.2f}")


if __name__ == "__main__":
    race_inside(sys.argv[1])
