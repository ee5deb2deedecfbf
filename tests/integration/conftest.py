"""What the tests of the whole system share: the program, a data directory, free ports, processes that are surely ended."""
import contextlib
import itertools
import json
import os
import pathlib
import queue
import signal
import socket
import statistics
import subprocess
import threading
import time
import urllib.error
import urllib.request

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
RELAYX = pathlib.Path(os.environ.get("RELAYX_PROGRAM", ROOT / "build" / "relayx"))


MODELS = ("test_demo", "test_recording", "test_reliability_serve", "test_speech", "test_turns")


def pytest_collection_modifyitems(items):
    """Modules that run the local models are marked so; the tests of an API module share a server, so one worker has them."""
    for item in items:
        name = item.module.__name__
        if name in MODELS:
            item.add_marker(pytest.mark.models)
        elif name.startswith("test_api"):
            item.add_marker(pytest.mark.xdist_group(name))


# Below the ports that the system gives to clients, so that nobody takes one before it is bound; each worker has its own.
FIRST_PORT = 15000 + 2000 * (int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % 8)
PORTS = itertools.cycle(FIRST_PORT + (37 * os.getpid() + i) % 2000 for i in range(2000))


def free_port():
    for port in PORTS:
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def clean_environment(**more):
    """The environment without any setting of RelayX."""
    prefixes = ("RELAYX_", "TWILIO_", "OPENAI_", "GROQ_", "GATEWAY_", "SUPABASE_", "AWS_")
    names = {"DATABASE_URL", "JWT_SECRET_KEY", "VOICE_GATEWAY_URL", "SIGNUP", "RECORDINGS_URL"}
    kept = {k: v for k, v in os.environ.items() if not k.startswith(prefixes) and k not in names}
    return {**kept, **{k: str(v) for k, v in more.items()}}


def request(method, url, body=None, token=None, headers=None, timeout=15):
    """One HTTP exchange: (status, parsed JSON or text)."""
    data = None if body is None else json.dumps(body).encode()
    req = urllib.request.Request(url, data, method=method, headers=headers or {})
    if data is not None:
        req.add_header("Content-Type", "application/json")
    if token:
        req.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(req, timeout=timeout) as reply:
            status, raw = reply.status, reply.read()
    except urllib.error.HTTPError as error:
        status, raw = error.code, error.read()
    try:
        return status, json.loads(raw)
    except ValueError:
        return status, raw.decode(errors="replace")


def wait_for(condition, seconds=10.0, every=0.05, what="the condition"):
    """Polls until the condition gives something true, and returns that."""
    end = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        assert time.monotonic() < end, f"{what} did not come within {seconds} s"
        time.sleep(every)


class Program:
    """A running relayx; its output lines are kept."""

    def __init__(self, args, cwd, env):
        self.lines, self.errors = queue.Queue(), []
        self.process = subprocess.Popen([str(RELAYX), *map(str, args)], cwd=cwd, env=env,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        for stream, sink in ((self.process.stdout, self.lines.put),
                             (self.process.stderr, self.errors.append)):
            threading.Thread(target=self._read, args=(stream, sink), daemon=True).start()

    @staticmethod
    def _read(stream, sink):
        for line in stream:
            sink(line.rstrip("\n"))

    def ready(self, seconds=60):
        """The addresses of the line that begins with `ready`."""
        try:
            line = self.lines.get(timeout=seconds)
        except queue.Empty:
            raise AssertionError("no ready line; it said:\n" + "\n".join(self.errors[-40:])) from None
        assert line.startswith("ready"), line
        return dict(word.split("=", 1) for word in line.split()[1:])

    def stop(self, seconds=30):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def child(self, name):
        """The process id of the child of this name that was started last."""
        pid = None
        for line in self.errors:
            if "child.started" in line and f"child={name} " in line:
                pid = int(line.split("pid=")[1].split()[0])
        return pid


@pytest.fixture
def run(tmp_path):
    """Runs relayx to its end: run("doctor", "--data", …) -> CompletedProcess."""
    def call(*args, env=None, input=None, timeout=60):
        return subprocess.run([str(RELAYX), *map(str, args)], cwd=tmp_path, timeout=timeout,
                              env=clean_environment(**(env or {})), input=input,
                              capture_output=True, text=True)
    return call


@pytest.fixture
def start(tmp_path):
    """Starts relayx; whatever still runs at the end of the test is ended."""
    with contextlib.ExitStack() as stack:
        def call(*args, env=None):
            program = Program(args, tmp_path, clean_environment(**(env or {})))

            def end():
                if program.process.poll() is None:
                    program.process.kill()
                    program.process.wait()
            stack.callback(end)
            return program
        yield call


def run_demo(folder, *args):
    """A whole demo call with the real models: its report."""
    done = subprocess.run([str(RELAYX), "demo", "--exit", "--json", "--data", "d", *map(str, args)], cwd=folder, timeout=400,
                          env=clean_environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    report = json.loads(done.stdout)
    report["folder"] = folder
    return report


@pytest.fixture(scope="session")
def demo(tmp_path_factory):
    """One call of the built-in demo for all the tests, about a minute and a half. Where the machine was so busy that the models
    answered at a third of their speed, the callee and the agent talk past each other and it proves nothing: once more."""
    report = run_demo(tmp_path_factory.mktemp("demo"))
    if statistics.median(turn["stt_ms"] or 0 for turn in report["turns"]) > 900:
        report = run_demo(tmp_path_factory.mktemp("demo-again"))
    return report
