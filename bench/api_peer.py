#!/usr/bin/env python3
"""Measures the API against a FastAPI + asyncpg app that does the same (bench/peers), in one run on one PostgreSQL.

For GET /agents/{id} and GET /agents (10 agents, JWT): processor time of the API's process per request (all its threads, from
/proc), requests a second, and the 99th percentile at 100 connections; then the API again with 100,000 calls in the table.

usage: api_peer.py [--seconds 6] [--json FILE]        needs wrk, PostgreSQL (Debian's packages) and bench/peers/requirements.txt
"""
import argparse
import contextlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "integration"))
from conftest import RELAYX, clean_environment, free_port, request  # noqa: E402
from postgres import Cluster  # noqa: E402

KEY = "0123456789abcdef0123456789abcdef"
CALLS = 100_000
TICK = os.sysconf("SC_CLK_TCK")


def wait_for(url):
    end = time.monotonic() + 20
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            if urllib.request.urlopen(url, timeout=2).status == 200:
                return
        time.sleep(0.1)
    raise TimeoutError(url)


def process_cpu_s(pid):
    """Processor time of a process, threads that have ended included."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def wrk(url, token, seconds, connections=100):
    out = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "20s", "--latency", "-H", f"Authorization: Bearer {token}", url],
                         check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in out or "Socket errors" in out:
        raise SystemExit(f"{url} failed:\n{out}")
    number, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", out).groups()
    requests = int(re.search(r"(\d+) requests in", out).group(1))
    return {"requests": requests, "per_s": float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1)),
            "p99_ms": float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]}


def measure(pid, url, token, seconds):
    wrk(url, token, 1)
    before = process_cpu_s(pid)
    result = wrk(url, token, seconds)
    result["cpu_us"] = (process_cpu_s(pid) - before) / result["requests"] * 1e6
    return result


@contextlib.contextmanager
def program(argv, env, folder, health):
    with open(folder / "log", "ab") as log:
        process = subprocess.Popen(argv, env=env, cwd=folder, stdout=log, stderr=log)
    try:
        wait_for(health)
        yield process.pid
    except TimeoutError:
        print((folder / "log").read_text()[-2000:], file=sys.stderr)
        raise
    finally:
        process.terminate()
        process.wait(20)


def relayx(database, port, folder):
    env = clean_environment(DATABASE_URL=database, RELAYX_DATA=folder / "data", RELAYX_API_PORT=port, RELAYX_LOCAL="false",
                            JWT_SECRET_KEY=KEY, RELAYX_LOG_LEVEL=os.environ.get("BENCH_LOG_LEVEL", "info"),
                            RATE_LIMITS="read=9000000,address=9000000")
    return program([str(RELAYX), "api"], env, folder, f"http://127.0.0.1:{port}/ready")


def fastapi(database, port, folder):
    env = clean_environment(DATABASE_URL=database, JWT_SECRET_KEY=KEY)
    argv = [sys.executable, "-m", "uvicorn", "--app-dir", str(ROOT / "bench" / "peers"), "--port", str(port), "--loop", "uvloop",
            "--http", "httptools", "--workers", "1", "--no-access-log", "--log-level", "warning", "fastapi_app:app"]
    return program(argv, env, folder, f"http://127.0.0.1:{port}/health")


def account(base):
    who = {"email": "bench@example.com", "password": "correct horse"}
    request("POST", base + "/auth/signup", who)
    status, body = request("POST", base + "/auth/login", who)
    assert status == 200, body
    token, agent = body["access_token"], None
    for i in range(10):
        status, made = request("POST", base + "/agents", {
            "name": f"Agent {i}", "prompt_text": "You are a friendly assistant of a bakery. " * 20,
            "voice_settings": {"voice_id": "en_US-libritts-high", "speed": 1.0}, "llm_model": "llama3:8b", "max_tokens": 150}, token)
        assert status == 201, made
        agent = made["id"]
    return token, agent, body["user"]["id"]


def fill(cluster, database, user):
    """100,000 calls of the user's agents, and what the transactions would have counted."""
    cluster.psql(database, f"""
        INSERT INTO calls (id, user_id, agent_id, phone_number, status, duration, created_at)
        SELECT gen_random_uuid(), '{user}', a.id, '+12025550123', 'completed', 60, now()
        FROM agents a, generate_series(1, {CALLS // 10});
        INSERT INTO agent_stats (agent_id, call_count, timed_count, duration_sum, last_used)
        SELECT id, {CALLS // 10}, {CALLS // 10}, {CALLS // 10 * 60}, now() FROM agents
        ON CONFLICT (agent_id) DO UPDATE SET call_count = excluded.call_count, timed_count = excluded.timed_count,
        duration_sum = excluded.duration_sum, last_used = excluded.last_used;
        ANALYZE;""")


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--seconds", type=int, default=6)
    options.add_argument("--json")
    options.add_argument("--only-api", action="store_true", help="without the peer, to look at a profile")
    args = options.parse_args()
    report, cluster = {}, Cluster()
    try:
        with tempfile.TemporaryDirectory() as name:
            folder, database, port, peer_port = pathlib.Path(name), cluster.database(), free_port(), free_port()
            base, peer = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{peer_port}"
            with relayx(database, port, folder) as pid:
                token, agent, user = account(base)
                paths = {"agent": f"/agents/{agent}", "agents": "/agents"}
                if not args.only_api:
                    with fastapi(database, peer_port, folder) as peer_pid:
                        for what, path in paths.items():
                            same(request("GET", base + path, token=token)[1], request("GET", peer + path, token=token)[1])
                            report[f"fastapi {what}"] = measure(peer_pid, peer + path, token, args.seconds)
                for what, path in paths.items():
                    report[f"relayx {what}"] = measure(pid, base + path, token, args.seconds)
                fill(cluster, database, user)
                for what, path in paths.items():
                    report[f"relayx {what}, {CALLS} calls"] = measure(pid, base + path, token, args.seconds)
    finally:
        cluster.close()
    show(report, args)


def same(ours, theirs):
    """Both must say the same, or the comparison is of two different things."""
    ours, theirs = (one[0] if isinstance(one, list) else one for one in (ours, theirs))
    missing = set(ours) - set(theirs)
    assert not missing, f"the peer lacks {missing}"
    for key in ("id", "user_id", "name", "prompt_text"):
        assert ours[key] == theirs[key], key


def show(report, args):
    print(f"{'':34}{'CPU µs/request':>15}{'requests/s':>12}{'p99 ms':>9}")
    for name, row in report.items():
        print(f"{name:34}{row['cpu_us']:15.1f}{row['per_s']:12.0f}{row['p99_ms']:9.2f}")
    for what in ("agent", "agents"):
        ours, filled, theirs = (report.get(n) for n in (f"relayx {what}", f"relayx {what}, {CALLS} calls", f"fastapi {what}"))
        if theirs:
            print(f"{what}: 1/{theirs['cpu_us'] / ours['cpu_us']:.1f} of the peer's processor time; "
                  f"{CALLS} calls change it by {100 * (filled['cpu_us'] / ours['cpu_us'] - 1):+.0f} %")
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps(report, indent=1) + "\n")


main()
