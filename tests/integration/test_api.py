"""The API and the worker as processes of their own, black box: the seed's shapes, bad input, what is lost and found again."""

import concurrent.futures
import http.server
import json
import signal
import socket
import threading
import time
import urllib.parse
import urllib.request

import jsonschema
import pytest

from roles import Roles, request, wait_until


class Carrier:
    """Twilio's REST API for calls and nothing more. `mode`: accept, refuse, or lose (the call is placed, its answer is a 500)."""

    account, token = "AC" + "2" * 32, "a-token-that-only-tests-know"

    def __init__(self):
        self.mode, self.dials, self.hangups = "accept", [], []
        self.placed, self.fate = {}, "queued"
        carrier = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def answer(self, status, body):
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def do_POST(self):
                form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                if not self.path.endswith("/Calls.json"):
                    carrier.hangups.append(self.path.rsplit("/", 1)[1][:-5])
                    return self.answer(200, {"status": "completed"})
                carrier.dials.append(form)
                if carrier.mode == "refuse":
                    return self.answer(400, {"code": 21211, "message": "Invalid 'To' Phone Number"})
                sid = f"CA{len(carrier.dials):032d}"
                carrier.placed[sid] = {"sid": sid, "status": carrier.fate, "to": form["To"][0],
                                       "date_created": time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime())}
                if carrier.mode == "lose":
                    return self.answer(500, {"message": "oops"})
                return self.answer(201, carrier.placed[sid])

            def do_GET(self):
                path, _, query = self.path.partition("?")
                if path.endswith("/Calls.json"):
                    to = urllib.parse.parse_qs(query)["To"][0]
                    return self.answer(200, {"calls": [c for c in carrier.placed.values() if c["to"] == to]})
                call = carrier.placed.get(path.rsplit("/", 1)[1][:-5])
                return self.answer(200, call) if call else self.answer(404, {"code": 20404})

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture
def carrier():
    made = Carrier()
    yield made
    made.server.shutdown()


@pytest.fixture
def roles(tmp_path, carrier):
    made = Roles(tmp_path, carrier, carrier, LLM_PROVIDERS="openai")
    made.start("api")
    yield made
    made.stop()


def test_every_answer_is_as_described(roles):
    """Each JSON answer is held against openapi.json."""
    _, doc = request("GET", roles.api + "/openapi.json")

    def check(method, path, template, body=None, expect=200, token=True):
        status, answer = roles.call(method, path, body) if token else request(method, roles.api + path, body)
        assert status == expect, (method, path, status, answer)
        reply = doc["paths"][template][method.lower()]["responses"][str(status)]
        if "$ref" in reply:
            reply = doc["components"]["responses"][reply["$ref"].rsplit("/", 1)[1]]
        schema = dict(reply["content"]["application/json"]["schema"], components=doc["components"])
        jsonschema.Draft202012Validator(schema).validate(answer)
        return answer

    account = {"email": "ann@example.com", "password": "test123", "name": None}
    check("POST", "/auth/signup", "/auth/signup", account, 201, False)
    check("POST", "/auth/signup", "/auth/signup", account, 409, False)
    tokens = check("POST", "/auth/login", "/auth/login", account, 200, False)
    assert set(tokens) == {"access_token", "refresh_token", "token_type", "user"}
    refresh = {"refresh_token": tokens["refresh_token"]}
    assert set(check("POST", "/auth/refresh", "/auth/refresh", refresh, 200, False)) == {
        "access_token", "token_type", "expires_in"}
    check("POST", "/auth/refresh", "/auth/refresh", dict(refresh, rotate=True), 200, False)
    check("POST", "/auth/logout", "/auth/logout", refresh, 200, False)
    check("POST", "/auth/refresh", "/auth/refresh", refresh, 401, False)
    check("GET", "/health", "/health", token=False)
    check("GET", "/ready", "/ready", token=False)
    check("GET", "/auth/me", "/auth/me")
    check("GET", "/auth/me", "/auth/me", expect=401, token=False)
    agent = check("POST", "/agents", "/agents", {"name": "Emma", "prompt_text": "Be kind."}, 201)
    check("POST", "/agents", "/agents", {"name": ""}, 422)
    check("GET", "/agents", "/agents")
    one = "/agents/{agent_id}"
    check("GET", "/agents/" + agent["id"], one)
    check("PUT", "/agents/" + agent["id"], one, {"extraction": [{"name": "size", "type": "number"}]})
    check("GET", "/agents/" + roles.api[-4:], one, expect=404)
    entry = {"agent_id": agent["id"], "title": "Price", "content": "Nine dollars.", "source_type": "answer",
             "questions": ["how much is it"]}
    known = check("POST", "/api/knowledge", "/api/knowledge", entry, 201)
    check("GET", f"/api/agents/{agent['id']}/knowledge", "/api/agents/{agent_id}/knowledge")
    check("DELETE", "/api/knowledge/" + known["id"], "/api/knowledge/{knowledge_id}")
    roles.start("worker")
    placed = check("POST", "/calls/outbound", "/calls/outbound",
                   {"agent_id": agent["id"], "phone_number": "+12025550123", "metadata": {"campaign": "Q4"}})
    assert placed["twilio_sid"].startswith("CA")
    call = "/calls/" + placed["call_id"]
    whole = check("GET", call, "/calls/{call_id}")
    assert whole["metadata"] == {"campaign": "Q4"} and whole["transcripts"] == []
    check("GET", "/calls", "/calls")
    check("GET", call + "/transcripts", "/calls/{call_id}/transcripts")
    check("GET", call + "/analysis", "/calls/{call_id}/analysis", expect=202)
    check("GET", call + "/recording", "/calls/{call_id}/recording", expect=404)
    check("POST", call + "/hangup", "/calls/{call_id}/hangup")
    wait_until(lambda: roles.call("GET", call + "/analysis")[0] == 200)
    made = check("GET", call + "/analysis", "/calls/{call_id}/analysis")
    assert made["outcome"] == "no_answer"
    check("DELETE", "/agents/" + agent["id"], one)
    assert check("GET", call, "/calls/{call_id}")["agent_id"] is None


def test_refused_by_the_carrier(roles, carrier):
    roles.start("worker")
    carrier.mode = "refuse"
    status, body = roles.call("POST", "/calls/outbound",
                              {"agent_id": roles.agent(), "phone_number": "+12025550123"})
    assert status == 502 and body["code"] == "carrier_refused" and "Invalid 'To'" in body["detail"]
    assert roles.call("GET", "/calls/" + body["call_id"])[1]["status"] == "failed"


def test_no_worker_no_sid(roles, carrier):
    """The call is committed although nobody dials it yet; the worker that comes later does, once."""
    agent = roles.agent()
    began = time.monotonic()
    status, body = roles.call("POST", "/calls/outbound", {"agent_id": agent, "phone_number": "+12025550123"})
    assert status == 200 and body["twilio_sid"] is None
    assert 2.5 < time.monotonic() - began < 10  # it waits 3 s
    roles.start("worker")
    assert wait_until(lambda: roles.call("GET", "/calls/" + body["call_id"])[1]["twilio_sid"])
    assert len(carrier.dials) == 1


def test_a_lost_answer_is_found(roles, carrier):
    roles.start("worker")
    carrier.mode = "lose"
    status, body = roles.call("POST", "/calls/outbound",
                              {"agent_id": roles.agent(), "phone_number": "+12025550123"})
    assert status == 200, body
    assert wait_until(lambda: roles.call("GET", "/calls/" + body["call_id"])[1]["twilio_sid"])
    assert len(carrier.dials) == 1


def test_killed_workers_dial_each_call_once(roles, carrier):
    agent = roles.agent()
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda n: roles.call("POST", "/calls/outbound", {
            "agent_id": agent, "phone_number": f"+1202555{n:04d}"}), range(10)))
    assert all(status == 200 for status, _ in answers)
    for _ in range(6):  # killed somewhere in its work, again and again
        roles.start("worker")
        time.sleep(0.12)
        roles.processes["worker"].kill()
        roles.processes["worker"].wait()
    # A killed worker's jobs wait for their lease: handed back here, as its end would do it after half a minute.
    with roles.database() as db:
        db.execute("UPDATE jobs SET lease_until_ms = 0 WHERE status = 'running'")
    db.close()
    roles.start("worker")

    def all_dialed():
        rows = roles.call("GET", "/calls")[1]
        return all(row["twilio_sid"] or row["ended_at"] for row in rows)

    wait_until(all_dialed, 8)
    numbers = [form["To"][0] for form in carrier.dials]
    assert len(numbers) == len(set(numbers)), "a number was dialed twice"
    rows = roles.call("GET", "/calls")[1]
    with_sid = {row["phone_number"] for row in rows if row["twilio_sid"]}
    assert with_sid == set(numbers), "a dial was lost"


def test_bad_input(roles):
    agents = roles.api + "/agents"
    roles.login()

    def raw(data, content_type="application/json", token=roles.token):
        headers = {"Content-Type": content_type, "Authorization": "Bearer " + token}
        try:
            with urllib.request.urlopen(urllib.request.Request(agents, data, headers), timeout=20) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    assert raw(b"{") == 400
    assert raw(b"") == 400
    assert raw(b"[" * 100000) == 400
    assert raw(b'{"name":"\xff\xfe"}') == 400
    assert raw(b'{"name":"a\\u0000b","prompt_text":"p"}') == 422
    assert raw(b'{"name":"a\\ud800","prompt_text":"p"}') == 400
    assert raw(b"null") == 422
    assert raw(b'{"name":"a","prompt_text":"p","temperature":1e999}') in (400, 422)
    assert raw(b"name=a", "application/x-www-form-urlencoded") == 415
    assert raw(b"x" * (30 << 20)) == 413
    none = "eyJhbGciOiJub25lIn0.eyJzdWIiOiIwMTkwYTBiMC0wMDAwLTcwMDAtODAwMC0wMDAwMDAwMDAwMDEiLCJleHAiOjk5OTk5OTk5OTl9."
    assert raw(b"{}", token=none) == 401
    assert request("GET", agents + "/%00", token=roles.token)[0] == 422
    assert request("GET", agents + "/..%2f..%2fetc%2fpasswd", token=roles.token)[0] == 404
    assert request("GET", agents + "?limit=9999999999999999999999", token=roles.token)[0] == 422
    assert roles.call("GET", "/calls?status=%27%20OR%201=1")[0] == 422
    quoted = "Robert'); DROP TABLE agents;-- \" \\ \u2603"
    made = roles.call("POST", "/agents", {"name": quoted, "prompt_text": quoted})[1]
    assert made["name"] == quoted and roles.call("GET", "/agents")[1][0]["name"] == quoted
    with socket.create_connection(("127.0.0.1", roles.api_port)) as s:  # not HTTP at all
        s.sendall(b"\x16\x03\x01\x00\xa5\x01\r\n\r\n")
        s.settimeout(5)
        s.recv(100)
    assert request("GET", roles.api + "/ready")[0] == 200


def test_parallel_requests(roles):
    agent = roles.agent()

    def one(n):
        if n % 3 == 0:
            return roles.call("POST", "/agents", {"name": f"A{n}", "prompt_text": "p"})[0] == 201
        if n % 3 == 1:
            return roles.call("PUT", "/agents/" + agent, {"max_tokens": 1 + n})[0] == 200
        return roles.call("GET", "/agents")[0] == 200

    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        assert all(pool.map(one, range(240)))
    assert len(roles.call("GET", "/agents")[1]) == 81


def test_pages_of_a_list(roles):
    for n in range(7):
        roles.agent(name=f"A{n}")
    seen, url = [], roles.api + "/agents?limit=3"
    while url:
        with urllib.request.urlopen(urllib.request.Request(
                url, headers={"Authorization": "Bearer " + roles.token})) as answer:
            assert answer.headers["X-Total-Count"] == "7"
            seen += [row["name"] for row in json.load(answer)]
            link = answer.headers["Link"]
        url = roles.api + link[1:link.index(">")] if link else None
    assert seen == [f"A{n}" for n in reversed(range(7))]


def test_live_events(roles, carrier):
    """A stream that begins before anything happens sees all of it, resumes by id and ends by itself."""
    roles.start("worker")
    body = roles.dial(roles.agent())
    url = f"{roles.api}/calls/{body['call_id']}/events"

    def events(last=None):
        headers = {"Authorization": "Bearer " + roles.token}
        if last:
            headers["Last-Event-ID"] = last
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=20) as answer:
            assert answer.headers["Content-Type"] == "text/event-stream"
            return answer.read().decode()

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        stream = pool.submit(events)
        time.sleep(0.5)
        assert roles.call("POST", f"/calls/{body['call_id']}/hangup")[0] == 200
        text = stream.result(20)
    kinds = [line[7:] for line in text.splitlines() if line.startswith("event: ")]
    assert kinds[0] == "status" and kinds[-2:] == ["analysis", "end"]
    assert '"canceled"' in text and carrier.hangups == [body["twilio_sid"]]
    ids = [line[4:] for line in text.splitlines() if line.startswith("id: ")]
    rest = events(ids[-2])
    assert [line[4:] for line in rest.splitlines() if line.startswith("id: ")] == ids[-1:]


def test_a_call_the_carrier_forgot(roles, carrier):
    roles.start("worker")
    body = roles.dial(roles.agent())
    carrier.placed[body["twilio_sid"]]["status"] = "no-answer"
    with roles.database() as db:  # as if a minute and a half had gone by
        db.execute("UPDATE calls SET dialed_ms = dialed_ms - 100000")
    db.close()
    assert wait_until(lambda: roles.call("GET", "/calls/" + body["call_id"])[1]["status"] == "no-answer", 25, 0.5)


def test_keeps_its_key_and_stops_gracefully(tmp_path, carrier):
    roles = Roles(tmp_path, carrier, carrier, JWT_SECRET_KEY="")
    try:
        roles.start("api")
        roles.login()
        key = tmp_path / "data" / "jwt.key"
        assert key.stat().st_mode & 0o777 == 0o600 and len(key.read_text().strip()) >= 32
        roles.processes["api"].send_signal(signal.SIGTERM)
        assert roles.processes["api"].wait(8) == 0
        roles.start("api")
        assert roles.call("GET", "/auth/me")[0] == 200  # the token is still good
    finally:
        roles.stop()


@pytest.mark.parametrize("environment,words", [
    ({"JWT_SECRET_KEY": "short"}, "at least 32"),
    ({"DATABASE_URL": "postgresql://u:p@127.0.0.1:1/x"}, "is PostgreSQL running there"),
    ({"SUPABASE_URL": "https://x.supabase.co"}, "onnection string"),
    ({"DATABASE_URL": "sqlite:/nowhere/at/all/x.db"}, "can't be opened"),
])
def test_refuses_to_start(tmp_path, carrier, environment, words):
    roles = Roles(tmp_path, carrier, carrier, **environment)
    with pytest.raises(AssertionError):
        roles.start("api")
    assert roles.processes["api"].wait(5) != 0
    assert words in roles.log("api")
