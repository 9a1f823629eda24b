"""What the parts of tests/bench/run share."""
import os
import random
import signal
import subprocess
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SOCKCTL = os.path.abspath(os.environ.get("SOCKCTL", os.path.join(ROOT, "sockctl")))
BYTES = int(os.environ.get("MIB", "256")) << 20
ROUNDS = int(os.environ.get("ROUNDS", "5"))
LIMIT_SECONDS = 60
PEERS = ("nc.openbsd", "ncat", "socat")

# The limit programs, which `run` has made where it has gone to.
LIMIT = "./limit"
FORWARD = "./forward"
LIMIT_HTTP = "./limit_http"


def make_programs():
    """Compiles them into the current directory."""
    for program in (LIMIT, FORWARD, LIMIT_HTTP):
        source = os.path.join(ROOT, "tests/bench", os.path.basename(program) + ".c")
        subprocess.run([os.environ.get("CC", "cc"), "-O2", "-D_GNU_SOURCE", "-o", program, source],
                       check=True)


def in_turn(contenders):
    """The pairs of a dict, in an order of chance: each finds what another has left, the caches and
    the pages of the file that it had written, and that other should not always be the same."""
    return random.sample(list(contenders.items()), len(contenders))


def existing_file(name, size):
    """A file to write into that has its pages: else how fast a virtual machine gets memory from its
    host is measured, threefold up and down."""
    if not os.path.exists(name) or os.path.getsize(name) < size:
        with open(name, "wb") as file:
            for _ in range(0, size, 1 << 16):
                file.write(b"x" * (1 << 16))
    return open(name, "r+b")


def spawn(command, stdin, stdout):
    return subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=subprocess.PIPE)


def reap(process):
    """CPU seconds of a process that ends by itself."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stderr.close()
    if process.returncode:
        raise RuntimeError(f"status {process.returncode}")
    return usage.ru_utime + usage.ru_stime


def wait_listening(port, path):
    """Until somebody listens there, seen without connecting."""
    deadline = time.monotonic() + 5
    needle = path or f"0100007F:{port:04X} 00000000:0000 0A"
    while time.monotonic() < deadline:
        with open("/proc/net/unix" if path else "/proc/net/tcp", encoding="ascii") as table:
            if needle in table.read():
                return
        time.sleep(0.01)
    raise RuntimeError("does not listen")


def end(process):
    """CPU seconds of a process that may have to be told to end."""
    os.kill(process.pid, signal.SIGTERM)
    _, process.returncode, usage = os.wait4(process.pid, 0)
    return usage.ru_utime + usage.ru_stime


def start_quietly(command, port):
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    wait_listening(port, None)
    return process
