"""Accounts over HTTP: sessions, passwords, invitations, API keys, tickets, limits, keys of providers, usage."""
import concurrent.futures
import json
import sqlite3
import subprocess
import time
import uuid

import pytest

from conftest import RELAYX, Program, clean_environment, free_port, request
from postgres import postgres  # noqa: F401 (fixture)

pytestmark = pytest.mark.xdist_group("accounts")  # they share two servers

PASSWORD = "correct horse"


class Server:
    def __init__(self, folder, cluster=None, **settings):
        self.folder, self.port, self.cluster = folder, free_port(), cluster
        if cluster:
            settings = {"DATABASE_URL": cluster.database(), "JWT_SECRET_KEY": "j" * 40, "SECRETS_KEY": "s" * 40} | settings
            self.database = settings["DATABASE_URL"].rsplit("/", 1)[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = clean_environment(RELAYX_DATA=folder / "data", RELAYX_API_PORT=self.port, RELAYX_LOCAL="false",
                                             RATE_LIMITS="read=60000,write=60000,auth=60000,heavy=60000,address=600000",
                                             **settings)
        self.program = Program(["api"], folder, self.environment)
        for _ in range(400):
            try:
                if request("GET", self.url + "/health", timeout=2)[0]:
                    break
            except OSError:
                time.sleep(0.05)
        else:
            raise AssertionError("\n".join(self.program.errors))

    def __call__(self, method, path, body=None, token=None, **more):
        return request(method, self.url + path, body, token, **more)

    def signup(self, **more):
        email = f"{uuid.uuid4().hex}@example.com"
        status, body = self("POST", "/auth/signup", {"email": email, "password": PASSWORD, "name": "Ann", **more})
        assert status == 201, body
        return email

    def user(self):
        email = self.signup()
        status, body = self("POST", "/auth/login", {"email": email, "password": PASSWORD})
        assert status == 200, body
        return body | {"email": email}

    def cli(self, *words):
        return subprocess.run([RELAYX, *words], cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=60)

    def sql(self, text, *values):
        if self.cluster:
            return [row.split("|") for row in self.cluster.sql(text.replace("?", "%s") % tuple(f"'{v}'" for v in values),
                                                               self.database).splitlines()]
        with sqlite3.connect(self.folder / "data" / "relayx.db", timeout=10) as db:
            return db.execute(text, values).fetchall()

    def log(self):
        return "\n".join(self.program.errors)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def server(tmp_path_factory, request):
    cluster = request.getfixturevalue("postgres") if request.param == "postgres" else None
    made = Server(tmp_path_factory.mktemp("accounts"), cluster)
    yield made
    made.program.stop()


def test_profile(server):
    token = server.user()["access_token"]
    status, me = server("PATCH", "/auth/me", {"phone": "+12025550100", "name": None}, token)
    assert status == 200 and me["phone"] == "+12025550100" and me["name"] is None and me["company"] is None
    assert server("GET", "/auth/me", token=token)[1] == me
    status, body = server("PATCH", "/auth/me", {"name": "a\0b"}, token)
    assert status == 422
    assert server("PATCH", "/auth/me", {}, token)[1] == me


def test_rotation(server):
    old = server.user()["refresh_token"]
    plain = server("POST", "/auth/refresh", {"refresh_token": old})
    assert plain[0] == 200 and set(plain[1]) == {"access_token", "token_type", "expires_in"}
    # Several tabs at once: one successor.
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: server("POST", "/auth/refresh", {"refresh_token": old, "rotate": True}), range(8)))
    assert {status for status, _ in answers} == {200}
    successors = {body["refresh_token"] for _, body in answers}
    assert len(successors) == 1 and old not in successors
    new = successors.pop()
    assert server("POST", "/auth/refresh", {"refresh_token": new})[0] == 200
    # Half a minute later the old one is a thief's.
    server.sql("UPDATE auth_tokens SET replaced_ms = replaced_ms - 31000 WHERE replaced_ms IS NOT NULL")
    assert server("POST", "/auth/refresh", {"refresh_token": old})[0] == 401
    assert server("POST", "/auth/refresh", {"refresh_token": new})[0] == 401


def test_logout(server):
    user = server.user()
    body = {"refresh_token": user["refresh_token"]}
    assert server("POST", "/auth/logout", body)[0] == 200
    assert server("POST", "/auth/refresh", body)[0] == 401
    assert server("POST", "/auth/logout", body)[0] == 200


def test_password(server):
    user = server.user()
    other = server("POST", "/auth/login", {"email": user["email"], "password": PASSWORD})[1]
    token = user["access_token"]
    change = {"old_password": "wrong one", "new_password": "new horse", "refresh_token": user["refresh_token"]}
    status, body = server("POST", "/auth/password", change, token)
    assert (status, body["code"]) == (403, "wrong_password")
    status, _ = server("POST", "/auth/password", change | {"old_password": PASSWORD}, token)
    assert status == 200
    assert server("POST", "/auth/refresh", {"refresh_token": user["refresh_token"]})[0] == 200
    assert server("POST", "/auth/refresh", {"refresh_token": other["refresh_token"]})[0] == 401
    assert server("POST", "/auth/login", {"email": user["email"], "password": PASSWORD})[0] == 401
    assert server("POST", "/auth/login", {"email": user["email"], "password": "new horse"})[0] == 200
    status, body = server("POST", "/auth/password", {"old_password": "new horse", "new_password": "ä" * 40}, token)
    assert status == 422


def test_login_gives_nothing_away(server):
    email = server.signup()
    took = {}
    answers = set()
    for kind, address in (("wrong", email), ("unknown", f"{uuid.uuid4().hex}@example.com")):
        times = []
        for _ in range(4):
            began = time.monotonic()
            answers.add(json.dumps(server("POST", "/auth/login", {"email": address, "password": "not this"})))
            times.append(time.monotonic() - began)
        took[kind] = min(times)  # the least disturbed one
    assert len(answers) == 1 and json.loads(answers.pop())[0] == 401
    assert 0.4 < took["wrong"] / took["unknown"] < 2.5, took


def test_login_throttled(server):
    email = server.signup()
    body = {"email": email, "password": "not this"}
    # All at the same moment: no more than five get through.
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        statuses = list(pool.map(lambda _: server("POST", "/auth/login", body)[0], range(12)))
    assert sorted(statuses) == [401] * 5 + [429] * 7
    assert server("POST", "/auth/login", {"email": email, "password": PASSWORD})[0] == 429
    assert server("POST", "/auth/login", {"email": server.signup(), "password": PASSWORD})[0] == 200


def test_passwords_do_not_starve_the_rest(server):
    token = server.user()["access_token"]
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        logins = [pool.submit(server, "POST", "/auth/login", {"email": f"{uuid.uuid4().hex}@example.com", "password": "x"})
                  for _ in range(10)]
        reads = 0
        while not all(login.done() for login in logins):
            assert server("GET", "/auth/me", token=token)[0] == 200
            reads += 1
    assert reads > 5


@pytest.mark.parametrize("mode", ["invite", "closed"])
def test_signup_modes(tmp_path, mode):
    server = Server(tmp_path, SIGNUP=mode)
    try:
        body = {"email": "Eve@example.com", "password": PASSWORD}
        status, answer = server("POST", "/auth/signup", body)
        assert (status, answer["code"]) == (403, "signup_closed")
        code = server.cli("user", "invite", "--email", "eve@example.com").stdout.strip()
        assert code
        status, answer = server("POST", "/auth/signup", body | {"invite_code": code})
        if mode == "closed":
            assert (status, answer["code"]) == (403, "signup_closed")
            return
        assert status == 201
        status, answer = server("POST", "/auth/signup", body | {"invite_code": code, "email": "dan@example.com"})
        assert (status, answer["code"]) == (403, "invite_invalid")
        # The first account invites by itself, the next one may not.
        admin = server("POST", "/auth/login", {"email": "eve@example.com", "password": PASSWORD})[1]["access_token"]
        status, made = server("POST", "/invites", {}, admin)
        assert status == 201 and made["email"] is None
        assert server("POST", "/auth/signup", {"email": "dan@example.com", "password": PASSWORD,
                                               "invite_code": made["invite_code"]})[0] == 201
        dan = server("POST", "/auth/login", {"email": "dan@example.com", "password": PASSWORD})[1]["access_token"]
        assert server("POST", "/invites", {}, dan)[0] == 403
    finally:
        server.program.stop()


def test_api_keys(server):
    user, other = server.user(), server.user()
    token = user["access_token"]
    status, made = server("POST", "/api-keys", {"name": "CI", "scopes": ["calls:read", "agents:write"]}, token)
    assert status == 201 and made["key"].startswith(made["prefix"]) and made["key"].startswith("rlx_")
    key = made["key"]
    status, keys = server("GET", "/api-keys", token=token)
    assert status == 200 and "key" not in keys[0] and keys[0]["id"] == made["id"]
    for headers in ({"X-API-Key": key}, {"Authorization": f"Bearer {key}"}):
        assert server("GET", "/agents", headers=headers)[0] == 200
        status, body = server("POST", "/calls/outbound", {}, headers=headers)
        assert (status, body["code"]) == (403, "scope_missing")
        assert server("POST", "/api-keys", {"name": "more"}, headers=headers)[0] == 403
        assert server("POST", "/tickets", {"path": "/events"}, headers=headers)[0] == 403
    assert server("GET", "/api-keys", token=token)[1][0]["last_used_at"]
    assert server("GET", "/agents", headers={"X-API-Key": key + "x"})[0] == 401
    assert server("DELETE", f"/api-keys/{made['id']}", token=other["access_token"])[0] == 404
    assert server("DELETE", f"/api-keys/{made['id']}", token=token)[0] == 200
    assert server("GET", "/agents", headers={"X-API-Key": key})[0] == 401
    assert server("DELETE", f"/api-keys/{made['id']}", token=token)[0] == 404
    # At rest there is only its hash.
    assert key not in json.dumps(server.sql("SELECT * FROM api_keys"))
    for scopes in (["none"], ["calls:all"], ["Calls:read"], [""], "read"):
        assert server("POST", "/api-keys", {"name": "x", "scopes": scopes}, token)[0] == 422
    status, whole = server("POST", "/api-keys", {"name": "all", "expires_in_days": 1}, token)
    assert status == 201 and whole["scopes"] == ["*"] and whole["expires_at"]
    server.sql("UPDATE api_keys SET expires_ms = 1 WHERE id = ?", whole["id"])
    assert server("GET", "/agents", headers={"X-API-Key": whole["key"]})[0] == 401


def test_tickets(server):
    token = server.user()["access_token"]
    path = f"/calls/{uuid.uuid4()}/recording"
    status, made = server("POST", "/tickets", {"path": path}, token)
    assert status == 201 and made["expires_in"] == 60
    ticket = made["ticket"]
    assert server("GET", f"{path}?ticket={ticket}")[0] == 404  # it opens the door; there is no such call
    assert server("GET", f"{path}?ticket={ticket}")[0] == 401
    ticket = server("POST", "/tickets", {"path": path}, token)[1]["ticket"]
    assert server("GET", f"/calls/{uuid.uuid4()}/recording?ticket={ticket}")[0] == 401
    ticket = server("POST", "/tickets", {"path": path}, token)[1]["ticket"]
    assert server("GET", f"/agents?ticket={ticket}")[0] == 401
    server.sql("UPDATE tickets SET expires_ms = 1")
    assert server("GET", f"{path}?ticket={ticket}")[0] == 401
    for bad in ("calls", "/calls?x=1", "", 5, "/agents", "/calls", "/nothing", "/contacts/export", path + "/", f"/calls/{uuid.uuid4()}"):
        assert server("POST", "/tickets", {"path": bad}, token)[0] == 422, bad
    for good in ("/events", "/contacts/export.csv", "/dnc/export.csv", f"/calls/{uuid.uuid4()}/listen", f"/calls/{uuid.uuid4()}/events"):
        assert server("POST", "/tickets", {"path": good}, token)[0] == 201, good
    assert ticket not in server.log() and made["ticket"] not in server.log()


def test_unknown_fields_are_refused_where_they_could_mislead(server):
    token = server.user()["access_token"]
    for method, path, body, field, hint in (
            ("POST", "/api-keys", {"name": "K", "expires_at": "2026-01-02T03:04:05Z"}, "expires_at", "did you mean expires_in_days?"),
            ("POST", f"/calls/{uuid.uuid4()}/share", {"expires_in": 1}, "expires_in", "did you mean expires_in_hours?"),
            ("PUT", "/account/limits", {"recordings": 1}, "recordings", "did you mean recording_days?"),
            ("PUT", "/account/secrets/cal_api_key", {"value": "cal_live_0123456789", "key": "x"}, "key", "there are value"),
            ("POST", "/webhooks", {"url": "https://example.com/", "events": ["call.ended"], "active": False}, "active", "is_active"),
            ("PUT", f"/webhooks/{uuid.uuid4()}", {"event": []}, "event", "did you mean events?"),
            ("POST", "/invites", {"expires_in_days": 1}, "expires_in_days", "there are email, days")):
        status, answer = server(method, path, body, token)
        assert status == 422, (path, answer)
        assert [f["field"] for f in answer["fields"]] == [field] and hint in answer["fields"][0]["message"], answer
    assert server("GET", "/api-keys", token=token)[1] == []
    # The first API's routes take them, as they always did.
    assert server("PATCH", "/auth/me", {"name": "Ann", "nickname": "A"}, token)[0] == 200


def test_limits(server):
    user = server.user()
    token = user["access_token"]
    status, limits = server("GET", "/account/limits", token=token)
    assert status == 200 and limits["used"] == {"concurrent_calls": 0, "minutes_today": 0}
    status, changed = server("PUT", "/account/limits", {**limits, "recording_days": 30}, token)
    assert status == 200 and changed == {**limits, "recording_days": 30}
    status, body = server("PUT", "/account/limits", {"minutes_per_day": 100000}, token)
    assert (status, body["code"]) == (403, "forbidden")
    done = server.cli("user", "limit", user["email"], "countries=DE,FR", "minutes_per_day=5", "concurrent_calls=1")
    assert done.returncode == 0, done.stderr
    status, limits = server("GET", "/account/limits", token=token)
    assert limits["countries"] == ["DE", "FR"] and limits["minutes_per_day"] == 5 and limits["recording_days"] == 30
    assert server.cli("user", "limit", user["email"], "wings=2").returncode == 1
    assert server.cli("user", "limit", "nobody@example.com").returncode == 1

    agent = server("POST", "/agents", {"name": "E", "prompt_text": "Be kind."}, token)[1]["id"]

    def call(number, **more):
        return server("POST", "/calls/outbound", {"agent_id": agent, "phone_number": number, **more}, token)

    status, body = call("+12025550123")
    assert (status, body["code"]) == (403, "country_not_allowed"), body
    status, body = call("+4930123456")
    assert status == 200, body
    status, body = call("+4930123456")
    assert (status, body["code"]) == (429, "concurrent_calls_limit"), body


def test_secrets(server):
    user, other = server.user(), server.user()
    token, value = user["access_token"], "sk-live-abcdefgh1234"
    assert server("GET", "/account/secrets", token=token) == (200, [])
    assert server("PUT", "/account/secrets/cal_api_key", {"value": value}, token)[0] == 200
    status, names = server("GET", "/account/secrets", token=token)
    assert status == 200 and names[0]["name"] == "cal_api_key" and names[0]["last4"] == "1234"
    assert value not in json.dumps(names)
    assert server("GET", "/account/secrets", token=other["access_token"]) == (200, [])
    assert server("PUT", "/account/secrets/shoe_size", {"value": "44"}, token)[0] == 404
    assert server("PUT", "/account/secrets/cal_api_key", {"value": "a\nb"}, token)[0] == 422
    for file in (server.folder / "data").glob("relayx.db*"):
        assert value.encode() not in file.read_bytes()
    assert value not in json.dumps(server.sql("SELECT * FROM user_secrets"))
    assert value not in server.log()
    assert server("DELETE", "/account/secrets/cal_api_key", token=other["access_token"])[0] == 404
    assert server("DELETE", "/account/secrets/cal_api_key", token=token)[0] == 200
    assert server("DELETE", "/account/secrets/cal_api_key", token=token)[0] == 404


def test_credits(server):
    user = server.user()
    token, day = user["access_token"], time.strftime("%Y-%m-%d", time.gmtime())
    status, empty = server("GET", "/api-credits", token=token)
    assert status == 200 and empty["providers"] == {} and empty["total_cost"] == 0 and empty["period"] == day[:7]
    rows = [("groq", "stt", "whisper-large-v3-turbo", 0, 3_600_000, 0, 0, 0), ("groq", "llm", "some-new-model", 0, 0, 0, 1_000_000, 0),
            ("groq", "stt", "whisper-large-v3-turbo", 1, 3_600_000, 0, 0, 0), ("twilio", "carrier", "", 0, 600_000, 0, 0, 0)]
    for provider, stage, model, own, audio, characters, tokens_in, tokens_out in rows:
        server.sql("INSERT INTO usage_days VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?)", user["user"]["id"], day, stage, provider, model,
                   own, audio, characters, tokens_in, tokens_out)
    status, credits = server("GET", "/api-credits", token=token)
    assert credits["providers"]["groq"] == {"cost": 0.115, "requests": 3, "stt_seconds": 7200, "llm_tokens_in": 1_000_000}
    assert credits["providers"]["twilio"] == {"cost": 0.14, "requests": 1, "carrier_minutes": 10}
    assert credits["total_cost"] == 0.255 and credits["today"]["total_cost"] == 0.255


def test_signup_mistaken(run):
    done = run("api", "--data", "d", env={"SIGNUP": "opne"})
    assert done.returncode == 1 and "SIGNUP" in done.stderr and "open, invite or closed" in done.stderr


def test_no_key_for_secrets(tmp_path, postgres):  # noqa: F811
    server = Server(tmp_path, postgres, SECRETS_KEY="")
    try:
        status, body = server("PUT", "/account/secrets/cal_api_key", {"value": "x" * 20}, server.user()["access_token"])
        assert (status, body["code"]) == (424, "secrets_key_missing") and "SECRETS_KEY" in body["detail"]
    finally:
        server.program.stop()
