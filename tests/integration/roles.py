"""Starts the roles of the real program by themselves, as a production set-up does, against doubles. With RLX_TEST_STORE=postgres (or
pgbouncer) in the environment each set has a PostgreSQL database of its own instead of SQLite's file."""

import atexit
import functools
import os
import pathlib
import re
import signal
import sqlite3
import subprocess
import time

from conftest import RELAYX, clean_environment, free_port, request

SANITIZER = re.compile(r"ERROR: (Address|Leak|Thread)Sanitizer|WARNING: ThreadSanitizer|runtime error: ")


def wait_until(check, seconds=10, every=0.05):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = check()
        if value:
            return value
        time.sleep(every)
    return check()


STORE = os.environ.get("RLX_TEST_STORE", "sqlite")


@functools.cache
def cluster():
    from postgres import Cluster
    made = Cluster(pgbouncer=STORE == "pgbouncer")
    atexit.register(made.close)
    return made


class Database:
    """As much of sqlite3's connection as the tests use, on PostgreSQL."""

    def __init__(self, url):
        self.name = url.split("?")[0].rsplit("/", 1)[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def close(self):
        pass

    def execute(self, sql, values=()):
        for value in values:
            quoted = str(value) if isinstance(value, (int, float)) else "'" + str(value).replace("'", "''") + "'"
            sql = sql.replace("?", quoted, 1)
        self.rows = [tuple(line.split("|")) for line in cluster().sql(sql, self.name).splitlines()]
        return self

    def fetchone(self):
        return self.rows[0] if self.rows else None

    def fetchall(self):
        return self.rows


class Roles:
    """api, gateway and worker on free ports, with their own data directory."""

    def __init__(self, tmp, providers, carrier, **environment):
        self.tmp = pathlib.Path(tmp)
        self.api_port, self.gateway_port = free_port(), free_port()
        self.api = f"http://127.0.0.1:{self.api_port}"
        self.gateway = f"http://127.0.0.1:{self.gateway_port}"
        self.environment = clean_environment()
        self.environment.update({
            "RELAYX_DATA": str(self.tmp / "data"),
            "RELAYX_API_PORT": str(self.api_port),
            "RELAYX_GATEWAY_PORT": str(self.gateway_port),
            "RELAYX_LOCAL": "false",
            "VOICE_GATEWAY_URL": self.gateway,
            "TWILIO_API_URL": carrier.url,
            "TWILIO_ACCOUNT_SID": carrier.account,
            "TWILIO_AUTH_TOKEN": carrier.token,
            "TWILIO_PHONE_NUMBER": "+12025550100",
            "OPENAI_BASE_URL": providers.url,
            "OPENAI_API_KEY": "sk-test",
            "EMBED_PROVIDERS": "none",
            "JWT_SECRET_KEY": "0123456789abcdef0123456789abcdef",
        })
        if STORE != "sqlite" and "DATABASE_URL" not in environment:
            self.environment["DATABASE_URL"] = cluster().database(STORE == "pgbouncer")
            self.environment["SECRETS_KEY"] = "s" * 44
        self.environment.update(environment)
        self.processes = {}
        self.token = None

    def start(self, role):
        log = open(self.tmp / f"{role}.log", "ab")
        self.processes[role] = subprocess.Popen([RELAYX, role], env=self.environment, stdout=log,
                                                stderr=log, cwd=self.tmp)
        port = {"api": self.api_port, "gateway": self.gateway_port}.get(role)

        def ready():
            assert self.processes[role].poll() is None, self.log(role)
            try:
                return request("GET", f"http://127.0.0.1:{port}/health", timeout=2)[0] in (200, 503)
            except OSError:
                return False

        if port:
            assert wait_until(ready, 10), self.log(role)

    def start_all(self):
        subprocess.run([RELAYX, "migrate"], env=self.environment, check=True, cwd=self.tmp,
                       capture_output=True)
        for role in ("api", "gateway", "worker"):
            self.start(role)
        return self

    def log(self, role):
        return (self.tmp / f"{role}.log").read_text(errors="replace")[-4000:]

    def stop(self):
        for process in self.processes.values():
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        end = time.monotonic() + 8
        for process in self.processes.values():
            try:
                process.wait(max(0.1, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for role in self.processes:
            log = (self.tmp / f"{role}.log").read_text(errors="replace")
            found = [line for line in log.splitlines() if SANITIZER.search(line)]
            assert not found, f"{role}: {log[-8000:]}"

    def login(self):
        account = {"email": "owner@example.com", "password": "correct horse", "name": "Owner"}
        request("POST", self.api + "/auth/signup", account)
        status, body = request("POST", self.api + "/auth/login", account)
        assert status == 200, body
        self.token = body["access_token"]

    def call(self, method, path, body=None, **more):
        if not self.token:
            self.login()
        return request(method, self.api + path, body, self.token, **more)

    def agent(self, **fields):
        agent = {"name": "Joe", "prompt_text": "You are Joe of Northwind.",
                 "greeting": "Hello, this is Joe, an AI assistant of Northwind."}
        agent.update(fields)
        status, body = self.call("POST", "/agents", agent)
        assert status in (200, 201), body
        return body["id"]

    def dial(self, agent_id, number="+12025550123"):
        status, body = self.call("POST", "/calls/outbound",
                                 {"agent_id": agent_id, "phone_number": number})
        assert status in (200, 201), body
        return body

    def ended(self, call_id, seconds=20):
        def over():
            status, body = self.call("GET", f"/calls/{call_id}")
            return body if body.get("ended_at") else None

        call = wait_until(over, seconds, 0.2)
        assert call, self.log("gateway")
        return call

    def database(self):
        if self.environment.get("DATABASE_URL", "").startswith("postgres"):
            return Database(self.environment["DATABASE_URL"])
        return sqlite3.connect(self.tmp / "data" / "relayx.db", timeout=5)
