#!/usr/bin/env python3
"""How long GET /agents takes when there are many calls, on SQLite: the list must not read them.

usage: bench/agents_list.py [--program build/relayx] [--calls 100000] [--agents 10] [--requests 300]

Starts the API by itself on a fresh data directory, writes the calls into its database with the statistics that the calls' own
transactions would have kept, and measures requests one after the other over one connection: once without calls, once with them.
Prints one JSON object; fails (status 1) when the median with the calls is 5 ms or more.
"""
import argparse
import http.client
import json
import os
import pathlib
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[1]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def ask(url, body=None, token=None):
    req = urllib.request.Request(url, None if body is None else json.dumps(body).encode(),
                                 {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})})
    with urllib.request.urlopen(req, timeout=10) as reply:
        return json.loads(reply.read())


def measure(port, token, path, requests):
    link = http.client.HTTPConnection("127.0.0.1", port)
    took = []
    for _ in range(requests):
        began = time.perf_counter()
        link.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        reply = link.getresponse()
        body = reply.read()
        took.append((time.perf_counter() - began) * 1000)
        assert reply.status == 200, body
    link.close()
    took.sort()
    return {"p50_ms": round(statistics.median(took), 3), "p99_ms": round(took[int(len(took) * 0.99) - 1], 3)}


def fill(path, user, agents, calls):
    database = sqlite3.connect(path, timeout=20)
    rows = []
    for n in range(calls):
        begun = f"2026-{n % 12 + 1:02d}-{n % 28 + 1:02d}T{n % 24:02d}:00:00.000Z"
        rows.append((str(uuid.uuid4()), user, agents[n % len(agents)], f"+1202555{n % 10000:04d}", "completed", 30 + n % 300,
                     30 + n % 300, begun))
    with database:
        database.executemany("INSERT INTO calls (id, user_id, agent_id, phone_number, status, duration, counted_s, created_at)"
                             " VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        database.execute("DELETE FROM agent_stats")
        database.execute("INSERT INTO agent_stats SELECT a.id, count(c.id), count(c.duration), COALESCE(sum(c.duration), 0),"
                         " max(c.created_at) FROM agents a LEFT JOIN calls c ON c.agent_id = a.id GROUP BY a.id")
    database.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", default=str(ROOT / "build" / "relayx"))
    parser.add_argument("--calls", type=int, default=100000)
    parser.add_argument("--agents", type=int, default=10)
    parser.add_argument("--requests", type=int, default=300)
    args = parser.parse_args()
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "RELAYX_DATA": folder, "RELAYX_API_PORT": str(port), "RELAYX_LOCAL": "false",
                       "RATE_LIMITS": "read=1000000,write=10000", "JWT_SECRET_KEY": "0123456789abcdef0123456789abcdef"}
        with open(os.path.join(folder, "log"), "ab") as log:
            server = subprocess.Popen([args.program, "api"], env=environment, stdout=log, stderr=log)
        try:
            base = f"http://127.0.0.1:{port}"
            for _ in range(200):
                try:
                    ask(base + "/ready")
                    break
                except OSError:
                    time.sleep(0.05)
            account = {"email": "b@example.com", "password": "correct horse"}
            ask(base + "/auth/signup", account)
            login = ask(base + "/auth/login", account)
            token, user = login["access_token"], login["user"]["id"]
            agents = [ask(base + "/agents", {"name": f"Agent {n}", "prompt_text": "You are kind. " * 40}, token)["id"]
                      for n in range(args.agents)]
            measure(port, token, "/agents", 50)
            empty = measure(port, token, "/agents", args.requests)
            fill(os.path.join(folder, "relayx.db"), user, agents, args.calls)
            measure(port, token, "/agents", 50)
            full = measure(port, token, "/agents", args.requests)
            report = {"agents": args.agents, "calls": args.calls, "without_calls": empty, "with_calls": full,
                      "one_agent": measure(port, token, "/agents/" + agents[0], args.requests),
                      "calls_page": measure(port, token, "/calls?limit=50", 50),
                      "summary": measure(port, token, "/analytics/summary?from=2026-01-01&to=2027-01-01", 20)}
        finally:
            server.terminate()
            server.wait(10)
    print(json.dumps(report, indent=2))
    return 0 if report["with_calls"]["p50_ms"] < 5 else 1


if __name__ == "__main__":
    sys.exit(main())
