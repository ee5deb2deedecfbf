"""relayx serve: one ready line, children that come back, an ordered end. No model runs here."""
import os
import signal
import time

from conftest import free_port, request, wait_for


def serve(start, *more):
    ports = {name: free_port() for name in ("api", "gateway", "phone")}
    # Nothing of this test calls a provider; the address only has to be given.
    program = start("serve", "--data", "d", "--no-local", "--openai-base-url", "http://127.0.0.1:9/v1",
                    *[f"--{name}-port={port}" for name, port in ports.items()], *more)
    return program, ports


def test_ready_line_and_ordered_end(start, run):
    program, ports = serve(start)
    addresses = program.ready()
    assert addresses["api"] == f"http://127.0.0.1:{ports['api']}"
    assert addresses["gateway"] == f"http://127.0.0.1:{ports['gateway']}"
    for address in (addresses["api"], addresses["gateway"], addresses["phone"]):
        assert request("GET", address + "/health")[0] == 200
    assert program.stop() == 0
    order = [line.split("child=")[1] for line in program.errors if "child.stopped" in line]
    assert order.index("worker") < order.index("gateway") < order.index("api") < order.index("phone")
    assert program.lines.empty()  # nothing but the ready line on standard output


def test_a_killed_gateway_is_back_within_a_second(start):
    program, ports = serve(start)
    gateway = program.ready()["gateway"]
    first = program.child("gateway")
    os.kill(first, signal.SIGKILL)
    began = time.monotonic()

    def answers_again():
        if program.child("gateway") == first:
            return False
        try:
            return request("GET", gateway + "/health", timeout=1)[0] == 200
        except OSError:
            return False
    wait_for(answers_again, 3)
    assert time.monotonic() - began < 1.0
    assert program.stop() == 0


def test_a_port_that_is_taken_is_named(start, run):
    program, ports = serve(start)
    program.ready()
    done = run("serve", "--data", "e", "--no-local", "--openai-base-url", "http://127.0.0.1:9/v1",
               "--api-port", ports["api"])
    assert done.returncode == 1
    assert "--api-port" in done.stderr and str(ports["api"]) in done.stderr
    assert program.stop() == 0


def test_no_child_outlives_a_killed_supervisor(start):
    program, _ = serve(start)
    program.ready()
    children = [program.child(name) for name in ("phone", "api", "gateway", "worker")]
    program.process.kill()
    program.process.wait()

    def all_gone():
        return not any(os.path.exists(f"/proc/{pid}") and "Z" not in open(f"/proc/{pid}/stat").read().split()[2]
                       for pid in children)
    wait_for(all_gone, 15, what="the end of the children")


def test_keys_are_kept_between_runs(start, tmp_path):
    program, _ = serve(start)
    program.ready()
    kept = [(tmp_path / "d" / name).read_text() for name in ("jwt.key", "simulator.key")]
    assert program.stop() == 0
    program, _ = serve(start)
    program.ready()
    assert kept == [(tmp_path / "d" / name).read_text() for name in ("jwt.key", "simulator.key")]
    assert program.stop() == 0
