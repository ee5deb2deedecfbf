"""The roles on PostgreSQL: calls, directly and through PgBouncer; the server stopped, and frozen, under requests and a live call."""

import asyncio
import concurrent.futures
import signal
import time

import pytest

from conftest import free_port, request
from doubles import Carrier, Loop, Providers
from postgres import Cluster, postgres  # noqa: F401 (fixture)
from providers import Stub
from roles import Roles, wait_until
from test_reliability import backlog, end_of, finished, said, speech

pytestmark = pytest.mark.xdist_group("postgres")
KEY = "0123456789abcdef0123456789abcdef"


class World:
    """Roles with doubles on a database of this URL."""

    def __init__(self, tmp, url):
        self.loop = Loop()
        self.providers, self.carrier = Providers(self.loop), Carrier(self.loop)
        self.roles = Roles(tmp, self.providers, self.carrier, DATABASE_URL=url,
                           RATE_LIMITS="read=1000000,write=1000000,auth=1000,heavy=1000,address=1000000")

    def close(self):
        try:
            end_of(self.roles)
        finally:
            self.roles.stop()
            self.loop.close()


@pytest.fixture
def make_world(tmp_path):
    made = []

    def make(url):
        made.append(World(tmp_path, url))
        return made[-1]
    yield make
    for world in made:
        world.close()


async def short_callee(line):
    await line.listen(0.3)
    await line.say(speech("hello"))
    await line.hear_answer()
    await line.say(speech("question"))
    await line.hear_answer()
    await line.say(speech("bye"))
    await line.listen(15)


@pytest.mark.parametrize("pooled", [False, True], ids=["direct", "pgbouncer"])
def test_a_call(make_world, postgres, pooled):  # noqa: F811
    world = make_world(postgres.database(pooled))
    world.providers.heard = ["Hello?", "What are your opening hours on Saturday?", "Thank you, goodbye."]
    world.carrier.callee = short_callee
    roles = world.roles.start_all()
    body = roles.dial(roles.agent())
    finished(world.loop, world.carrier, body)
    call = roles.ended(body["call_id"])
    assert call["status"] == "completed" and call["duration"] > 0, call
    assert "What are your opening hours on Saturday?" in said(call, "user")
    assert any("nine to five" in text for text in said(call, "ai"))
    analysis = wait_until(lambda: roles.call("GET", f"/calls/{body['call_id']}/analysis")[1]["status"] != "pending", 20)
    assert analysis, roles.log("worker")
    for role in ("api", "gateway", "worker"):
        assert "store.query" not in roles.log(role) and "store.commit" not in roles.log(role), roles.log(role)


def test_serve(start, postgres):  # noqa: F811
    stub = Stub()
    try:
        ports = {name: free_port() for name in ("api", "gateway", "phone")}
        program = start("serve", "--data", "d", "--no-local", "--openai-base-url", stub.url,
                        *[f"--{name}-port={port}" for name, port in ports.items()],
                        env={"DATABASE_URL": postgres.database(), "JWT_SECRET_KEY": KEY})
        api = program.ready()["api"]
        assert request("POST", api + "/auth/signup", {"email": "t@example.com", "password": "secret-1"})[0] == 201
        assert request("GET", api + "/health")[0] == 200
        assert program.stop() == 0
    finally:
        stub.close()


def test_without_a_key_of_its_own(run, postgres):  # noqa: F811
    url = postgres.database()
    done = run("api", "--database-url", url)
    assert done.returncode != 0 and "openssl rand" in done.stderr, done.stderr
    done = run("doctor", "--database-url", url)
    assert "JWT_SECRET_KEY is not set" in done.stdout, done.stdout
    assert "p%40ss" not in done.stdout + done.stderr


def test_migrate(run, postgres):  # noqa: F811
    url = postgres.database()
    assert "applied" in run("migrate", "--database-url", url).stdout
    assert "up to date" in run("migrate", "--database-url", url).stdout
    wrong = run("migrate", "--database-url", url.replace("p%40ss", "guess"))
    assert wrong.returncode == 1 and "check the user and the password" in wrong.stderr
    missing = run("migrate", "--database-url", url + "x")
    assert missing.returncode == 1 and "createdb" in missing.stderr


# ---- PostgreSQL away ----

@pytest.fixture
def own_cluster():
    made = Cluster()
    yield made
    made.close()


def asked(roles, path):
    """(status, seconds) of one request."""
    began = time.monotonic()
    status = roles.call("GET", path, timeout=30)[0]
    return status, time.monotonic() - began


def under_load(roles, path, seconds):
    """Sixteen clients at once, for some seconds: all answers."""
    end = time.monotonic() + seconds

    def client(_):
        answers = []
        while time.monotonic() < end:
            answers.append(asked(roles, path))
            time.sleep(0.02)
        return answers

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        return [answer for answers in pool.map(client, range(16)) for answer in answers]


@pytest.mark.parametrize("how", ["stopped", "frozen"])
def test_away_under_requests_and_a_live_call(make_world, own_cluster, how):
    world = make_world(own_cluster.database())
    loop, carrier, roles = world.loop, world.carrier, world.roles
    world.providers.heard = ["Hello?", "What are your opening hours on Saturday?", "And on Sunday?",
                             *(f"And on the {n}th of May?" for n in range(4, 20)), "Thank you, goodbye."]
    away, back = asyncio.Event(), asyncio.Event()
    seen = {"answered": 0}

    async def callee(line):
        await line.listen(0.3)
        await line.say(speech("hello"))
        await line.hear_answer()
        loop.loop.call_soon(away.set)
        while not back.is_set():
            await line.say(speech("question"))
            seen["answered"] += await line.hear_answer() is not None
        await line.say(speech("bye"))
        await line.listen(15)

    carrier.callee = callee
    roles.start_all()
    agent = roles.agent()
    body = roles.dial(agent)
    loop.run(asyncio.wait_for(away.wait(), 30), 35)
    own_cluster.stop(signal.SIGQUIT) if how == "stopped" else own_cluster.pause()
    try:
        answers = under_load(roles, f"/agents/{agent}", 30 if how == "stopped" else 12)
        kept = backlog(roles)
        health, seconds = asked(roles, "/health")
        assert health == 503 and seconds < 2
    finally:
        own_cluster.start() if how == "stopped" else own_cluster.resume()
        loop.loop.call_soon_threadsafe(back.set)
    assert {status for status, _ in answers} == {503}, answers[:5]
    slow = [seconds for _, seconds in answers if seconds > 1]
    # A server that is gone is noticed at once; one that is frozen when its time is over, by those who were waiting for it.
    assert len(slow) <= (0 if how == "stopped" else 24) and max(seconds for _, seconds in answers) < 12, sorted(slow)
    assert all(process.poll() is None for process in roles.processes.values())
    assert kept > 0
    assert wait_until(lambda: asked(roles, f"/agents/{agent}")[0] == 200, 5)
    assert {status for status, _ in under_load(roles, f"/agents/{agent}", 1)} == {200}
    finished(loop, carrier, body)
    call = roles.ended(body["call_id"])
    assert call["status"] == "completed" and seen["answered"] >= 2, (call, seen)
    assert said(call, "user").count("And on Sunday?") == 1
    assert wait_until(lambda: backlog(roles) == 0, 10)
