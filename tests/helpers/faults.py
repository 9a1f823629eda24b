#!/usr/bin/env python3
"""faults.py SCENARIO [eintr]: runs a transfer once for each system call that can fail, which strace
makes to fail, and for some of its ordinals; says what was wrong with the outcome.

Right is: success and the exact bytes on both sides, or a message and a status of the table, within
2 s of the call that failed, by the clock of strace: the time that strace itself and a busy machine
take to start is nobody's fault. With `eintr` every call is interrupted instead, and only success
will do."""
import concurrent.futures
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading

SOCKCTL = os.environ["SOCKCTL"]
LIMIT_S = 2  # from the failure to the end
HANGS_S = 10  # a run that takes so long is killed
STATUSES = {1, 4, 5, 8, 70}
UP = bytes(range(251)) * 800
DOWN = UP[::-1]
LINES = [b"one\n", b"two\n", b"three\n"]

ERRORS = {
    "socket": ["EMFILE"],
    "bind": ["EADDRINUSE", "EACCES"],
    "listen": ["EADDRINUSE"],
    "accept4": ["EMFILE", "ECONNABORTED"],
    "connect": ["ECONNREFUSED", "ENETUNREACH"],
    "read": ["EIO"],
    "write": ["ENOSPC", "EPIPE"],
    "sendto": ["ECONNRESET", "EPIPE", "ENOBUFS"],
    "sendmsg": ["ECONNRESET", "EINVAL", "ENOBUFS"],
    "recvfrom": ["ECONNRESET"],
    "recvmsg": ["ECONNRESET"],
    "splice": ["EIO", "EINVAL", "EPIPE"],
    "epoll_create1": ["EMFILE"],
    "epoll_ctl": ["ENOMEM"],
    "epoll_wait": ["EINVAL"],
    "poll": ["ENOMEM"],
    "shutdown": ["ENOTCONN"],
    "pipe2": ["EMFILE"],
    "setsockopt": ["ENOPROTOOPT"],
    "getsockopt": ["ENOBUFS"],
    "getsockname": ["ENOBUFS"],
    "fcntl": ["EPERM"],
    "ioctl": ["EINVAL"],
}
RESTARTED = ["accept4", "connect", "read", "write", "sendto", "sendmsg", "recvfrom", "recvmsg",
             "splice", "epoll_wait", "poll"]


def receive_all(peer):
    got = b""
    while part := peer.recv(65536):
        got += part
    return got


def serve_stream(server):
    """Takes all, then answers: the other end of `connect`."""
    peer = server.accept()[0]
    peer.settimeout(6)
    with peer:
        got = receive_all(peer)
        peer.sendall(DOWN)
    return got


def serve_lines(server):
    got = b""
    for _ in LINES:
        line, peer = server.recvfrom(100)
        server.sendto(line, peer)
        got += line
    return got


def be_client(port):
    with socket.create_connection(("127.0.0.1", port), timeout=6) as peer:
        peer.sendall(DOWN)
        peer.shutdown(socket.SHUT_WR)
        return receive_all(peer)


def send_lines(port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.settimeout(6)
        for line in LINES:
            peer.sendto(line, ("127.0.0.1", port))
        return b"".join(peer.recv(100) for _ in LINES)


class Scenario:
    """What sockctl is asked to do, with pipes or files, and who is at the other end."""

    def __init__(self, words, peer, up=UP, down=DOWN, files=False, copy=False,
                 unix=False):
        self.words, self.peer, self.up, self.down = words, peer, up, down
        self.files, self.copy, self.unix = files, copy, unix
        self.serving = words[0] == "listen"
        self.udp = "-u" in words


text = b"".join(LINES)
SCENARIOS = {
    "connect": Scenario(["connect"], serve_stream),
    "connect-files": Scenario(["connect"], serve_stream, files=True),
    "connect-copy": Scenario(["connect"], serve_stream, copy=True),
    "connect-unix": Scenario(["connect"], serve_stream, unix=True),
    "connect-udp": Scenario(["connect", "-u", "--lines", "-W", "3"], serve_lines, text, text),
    "listen": Scenario(["listen", "-w", "1"], be_client),
    "listen-copy": Scenario(["listen", "-w", "1"], be_client, copy=True, files=True),
    "listen-udp": Scenario(["listen", "-u", "--lines", "-w", "1", "-q", "100ms"], send_lines, text, text),
}


class Run:
    """One run of a scenario under strace: status, out, errors, got (by the peer), late."""

    def __init__(self, scenario, strace):
        self.scenario, self.got, self.late = scenario, None, False
        self.dir = tempfile.TemporaryDirectory(dir=".")
        self.trace = os.path.join(self.dir.name, "trace")
        self.server = None
        words = list(scenario.words)
        if scenario.serving:
            words.append("127.0.0.1:0")
        else:
            words.append(self.open_server())
        self.execute(["strace", "-f", "-ttt", "-o", self.trace, *strace, SOCKCTL, *words])
        with open(self.trace, errors="replace") as trace:
            self.calls = trace.readlines()
        if self.server:
            self.server.close()
        self.dir.cleanup()

    def open_server(self):
        """The address that sockctl is to connect to."""
        self.server = socket.socket(socket.AF_UNIX if self.scenario.unix else socket.AF_INET,
                                    socket.SOCK_DGRAM if self.scenario.udp else socket.SOCK_STREAM)
        self.server.settimeout(6)
        if self.scenario.unix:
            path = os.path.join(self.dir.name, "socket")
            self.server.bind(path)
        else:
            self.server.bind(("127.0.0.1", 0))
            path = "127.0.0.1:%d" % self.server.getsockname()[1]
        if not self.scenario.udp:
            self.server.listen()
        return path

    def open_ends(self):
        if not self.scenario.files:
            return subprocess.PIPE, subprocess.PIPE
        name = os.path.join(self.dir.name, "up")
        with open(name, "wb") as file:
            file.write(self.scenario.up)
        return open(name, "rb"), open(os.path.join(self.dir.name, "down"), "wb+")

    def execute(self, command):
        stdin, stdout = self.open_ends()
        environment = dict(os.environ, SOCKCTL_NO_SPLICE=str(int(self.scenario.copy)))
        environment["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
        process = subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=subprocess.PIPE,
                                   env=environment, start_new_session=True)
        self.errors, self.out, self.port = b"", b"", threading.Event()
        workers = [threading.Thread(target=self.guard, args=(work, process), daemon=True)
                   for work in (self.hear, self.drain, self.feed, self.talk)]
        for worker in workers:
            worker.start()
        try:
            self.status = process.wait(timeout=HANGS_S)
        except subprocess.TimeoutExpired:
            self.late = True
            os.killpg(process.pid, 9)
            self.status = process.wait()
        self.port.set()
        for worker in workers: # of a run that failed, what it said is all that matters
            worker.join(0 if self.status and worker not in workers[:2] else 3)
        if self.scenario.files:
            stdout.seek(0)
            self.out = stdout.read()

    def guard(self, work, process):
        try:
            work(process)
        except (OSError, ValueError):
            pass

    def feed(self, process):
        if process.stdin:
            with process.stdin:
                process.stdin.write(self.scenario.up)

    def drain(self, process):
        if process.stdout:
            self.out = process.stdout.read()

    def hear(self, process):
        for line in process.stderr:
            self.errors += line
            found = re.match(rb"sockctl: listening on .*:(\d+)$", line.strip())
            if found:
                self.number = int(found[1])
                self.port.set()

    def talk(self, process):
        if not self.scenario.serving:
            self.got = self.scenario.peer(self.server)
            return
        self.port.wait()
        if process.returncode is None:
            self.got = self.scenario.peer(self.number)

    def seconds(self):
        """From the first call that failed to the end."""
        failed = [line for line in self.calls if "(INJECTED)" in line]
        at = [float(line.split()[1]) for line in (failed[:1] + self.calls[-1:])]
        return at[-1] - at[0]

    def complaint(self, only_success):
        errors = [line for line in self.errors.split(b"\n")
                  if line and not line.startswith(b"sockctl: listening on ")]
        if self.late:
            return "still running after %d s" % HANGS_S
        if self.seconds() > LIMIT_S:
            return "took %.1f s from the failure to the end" % self.seconds()
        if self.status == 0:
            if self.out != self.scenario.down:
                return "status 0, but stdout has %d bytes" % len(self.out)
            if self.got != self.scenario.up:
                return "status 0, but the peer got %s bytes" % (self.got and len(self.got))
            return None
        if only_success:
            return "status %d: %s" % (self.status, self.errors)
        if self.status not in STATUSES:
            return "status %d: %s" % (self.status, self.errors)
        if not all(line.startswith(b"sockctl: ") for line in errors):
            return "not a message: %s" % self.errors
        if not errors and self.status != 8:
            return "status %d without a message" % self.status
        return None


def count_calls(scenario):
    """How often each call was made by ld.so and libc before our main, and in all."""
    before, calls = {}, {}
    run = Run(scenario, [])
    if run.complaint(True):
        sys.exit("without a fault: " + run.complaint(True))
    for line in run.calls:
        name = re.match(r"\d+ +[\d.]+ (\w+)\(", line)
        if not name:
            continue
        calls[name[1]] = calls.get(name[1], 0) + 1
        if "SIGPIPE" in line and name[1] == "rt_sigaction" and not before:
            before = dict(calls)
    return before, calls


def ordinals(before, all_of_them, most):
    """The first ones and the last, one in the middle."""
    numbers = list(range(before + 1, all_of_them + 1))
    if len(numbers) <= most:
        return numbers
    return numbers[:most - 2] + [numbers[len(numbers) // 2], numbers[-1]]


def main():
    scenario = SCENARIOS[sys.argv[1]]
    eintr = "eintr" in sys.argv[2:]
    before, calls = count_calls(scenario)
    errors = {call: ["EINTR"] for call in RESTARTED} if eintr else ERRORS
    cases = [(call, error, number)
             for call in errors if call in calls
             for number in ordinals(before.get(call, 0), calls[call], 5)
             for error in errors[call]]

    def judge(case):
        call, error, number = case
        run = Run(scenario, ["-e", "trace=" + call, "-e",
                             "inject=%s:error=%s:when=%d" % (call, error, number)])
        wrong = run.complaint(eintr)
        return wrong and "%s, %s at call %d: %s" % (call, error, number, wrong)

    with concurrent.futures.ThreadPoolExecutor(2 * (os.cpu_count() or 2)) as pool:
        wrongs = [wrong for wrong in pool.map(judge, cases) if wrong]
    print(*wrongs, sep="\n", end="\n" if wrongs else "")
    print("%d cases, %d wrong" % (len(cases), len(wrongs)))
    sys.exit(bool(wrongs) or not cases)


main()
