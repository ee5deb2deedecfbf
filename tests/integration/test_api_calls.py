"""Calls over HTTP: placing, lists with filters, share links, deletion, live events, sums, phone numbers."""
import http.client
import json
import sqlite3
import threading
import time
import types
import urllib.error
import urllib.request
import uuid

import pytest

from conftest import request
from providers import Stub
from roles import Roles, wait_until
from test_calls import FINAL, System

CARRIER = types.SimpleNamespace(url="http://127.0.0.1:9", account="AC" + "2" * 32, token="a-token-of-tests")
RATES = "heavy=6000,write=6000,read=60000"  # a suite asks more often than a user


@pytest.fixture(scope="module")
def roles(tmp_path_factory):
    stub = Stub()
    made = Roles(tmp_path_factory.mktemp("calls"), stub, CARRIER, LLM_PROVIDERS="openai", RATE_LIMITS=RATES)
    made.start("api")
    made.agent_id = made.agent()
    yield made
    made.stop()
    stub.close()


@pytest.fixture
def database(roles):
    made = sqlite3.connect(roles.tmp / "data" / "relayx.db", timeout=5)
    yield made
    made.close()


def place(roles, number="+12025550123", **more):
    """A call that nobody dials; the answer isn't waited for."""
    key = str(uuid.uuid4())
    body = {"agent_id": roles.agent_id, "phone_number": number, **more, "metadata": {"key": key}}
    answers = []
    thread = threading.Thread(target=lambda: answers.append(roles.call(
        "POST", "/calls/outbound", body, headers={"Idempotency-Key": key})), daemon=True)
    thread.start()

    def call():
        return next((c for c in roles.call("GET", "/calls?limit=200")[1] if c["metadata"].get("key") == key), None)
    made = wait_until(call, 5, 0.02)
    assert made, answers
    return made["id"]


def finish(database, call_id, recording=None, outcome="booked", sentiment="positive", words="Do you want wool socks?"):
    """As a gateway and a worker would have written it."""
    with database:
        database.execute("UPDATE calls SET status = 'completed', duration = 30, counted_s = 30, outcome = ?, sentiment = ?,"
                         " ended_at = '2026-01-01T00:00:30.000Z', answered_at = created_at, recording = ? WHERE id = ?",
                         (outcome, sentiment, recording, call_id))
        database.execute("UPDATE agent_stats SET timed_count = timed_count + 1, duration_sum = duration_sum + 30"
                         " WHERE agent_id = (SELECT agent_id FROM calls WHERE id = ?)", (call_id,))
        database.execute("INSERT INTO transcripts (id, call_id, speaker, text, metadata, seq) VALUES (?, ?, 'ai', ?, ?, 1)",
                         (str(uuid.uuid4()), call_id, words, '{"stt_ms": 200, "first_audio_ms": 700}'))
        database.execute("INSERT INTO call_analyses (call_id, status, summary) VALUES (?, 'completed', 'Fine.')", (call_id,))


@pytest.fixture(scope="module")
def done(roles):
    """A call that is over, with a recording."""
    path = roles.tmp / "recording.wav"
    path.write_bytes(bytes(range(200)))
    call_id = place(roles)
    database = sqlite3.connect(roles.tmp / "data" / "relayx.db", timeout=5)
    finish(database, call_id, str(path))
    database.close()
    return call_id


def raw(roles, method, path, headers=None):
    link = http.client.HTTPConnection("127.0.0.1", roles.api_port, timeout=10)
    link.request(method, path, headers=headers or {})
    reply = link.getresponse()
    body = reply.read()
    link.close()
    return reply.status, dict(reply.getheaders()), body


def signed(roles):
    return {"Authorization": "Bearer " + roles.token}


def test_filters(roles, done):
    whole = roles.call("GET", "/calls/" + done)[1]
    assert whole["direction"] == "outbound"

    def ids(query):
        status, rows = roles.call("GET", "/calls?" + query)
        assert status == 200, rows
        return [row["id"] for row in rows]

    for query in ("agent_id=" + roles.agent_id, "status=completed", "outcome=booked", "sentiment=positive",
                  "direction=outbound", "phone_number=%2B1202", "phone_number=+1202", "phone_number=5550123",
                  "from=2020-01-01", "from=2020-01-01T00:00:00%2B02:00&to=2100-01-01", "q=WOOL", "q=wool%20socks"):
        assert done in ids(query), query
    for query in ("agent_id=" + str(uuid.uuid4()), "status=busy", "outcome=other", "sentiment=negative",
                  "direction=inbound", "phone_number=%2B33", "from=2100-01-01", "to=2020-01-01T00:00:00Z", "q=wool%25socks"):
        assert done not in ids(query), query
    for query in ("status=gone", "outcome=x", "direction=up", "phone_number=12a", "from=yesterday", "q=x", "limit=201",
                  "agent_id=x", "cursor=x"):
        assert roles.call("GET", "/calls?" + query)[0] == 422, query


def test_pages_keep_their_filters(roles, done):
    others = [place(roles, f"+1202555019{n}") for n in range(3)]
    status, headers, body = raw(roles, "GET", "/calls?limit=2&phone_number=555019", signed(roles))
    assert status == 200 and headers["X-Total-Count"] == "3" and len(json.loads(body)) == 2
    link = headers["Link"].split(">")[0].strip("<")
    assert "phone_number=555019" in link
    assert [c["id"] for c in roles.call("GET", link)[1]] == [others[0]]


def test_outbound_checks(roles):
    body = {"agent_id": roles.agent_id, "phone_number": "+12025550123"}
    assert roles.call("POST", "/calls/outbound", dict(body, greeting="Hi {{name}}"))[1]["fields"][0]["field"] == "greeting"
    for more in ({"phone_number": "2025550123"}, {"phone_number": "+0123456789"}, {"max_duration_s": 5},
                 {"variables": []}, {"caller_id": "me"}, {"metadata": "x"}, {"agent_id": "x"}):
        assert roles.call("POST", "/calls/outbound", dict(body, **more))[0] == 422, more
    assert roles.call("POST", "/calls/outbound", dict(body, agent_id=str(uuid.uuid4())))[0] == 404


def test_variables_reach_the_call(roles, database):
    call_id = place(roles, variables={"order": "A7"}, greeting="Hi {{contact.name|there}}")
    assert roles.call("GET", "/calls/" + call_id)[1]["variables"] == {"order": "A7"}


def test_recording_by_range_and_head(roles, done):
    path = f"/calls/{done}/recording"
    status, headers, body = raw(roles, "GET", path, signed(roles))
    assert status == 200 and body == bytes(range(200)) and headers["Content-Type"] == "audio/wav"
    status, headers, body = raw(roles, "GET", path, {**signed(roles), "Range": "bytes=10-19"})
    assert status == 206 and body == bytes(range(10, 20)) and headers["Content-Range"] == "bytes 10-19/200"
    status, headers, body = raw(roles, "HEAD", path, signed(roles))
    assert status == 200 and body == b"" and headers["Content-Length"] == "200"
    assert raw(roles, "GET", path, {**signed(roles), "Range": "bytes=200-"})[0] == 416


def test_share_links(roles, done):
    path = f"/calls/{done}"
    status, share = roles.call("POST", path + "/share", {"expires_in_hours": 2})
    assert status == 201 and share["path"] == "/shared/" + share["token"] and share["views"] == 0
    quiet = roles.call("POST", path + "/share", {"recording": False})[1]
    status, _, body = raw(roles, "GET", share["path"])
    shown = json.loads(body)
    assert status == 200 and shown["phone_number"] == "…0123" and shown["summary"] == "Fine."
    assert shown["transcripts"][0]["text"] == "Do you want wool socks?" and shown["recording"] is True
    assert not {"user_id", "twilio_sid", "metadata", "variables", "id"} & set(shown)
    status, _, body = raw(roles, "GET", share["path"] + "/recording", {"Range": "bytes=0-3"})
    assert status == 206 and body == bytes(range(4))
    assert json.loads(raw(roles, "GET", quiet["path"])[2])["recording"] is False
    assert raw(roles, "GET", quiet["path"] + "/recording")[0] == 404
    rows = roles.call("GET", path + "/shares")[1]
    assert [r["id"] for r in rows] == [quiet["id"], share["id"]] and rows[1]["views"] == 1 and "token" not in rows[0]
    assert share["token"] not in roles.log("api"), "a link's secret stands in the log"
    assert roles.call("DELETE", f"{path}/shares/{share['id']}")[0] == 200
    assert raw(roles, "GET", share["path"])[0] == 404
    assert roles.call("DELETE", f"{path}/shares/{share['id']}")[0] == 404
    assert roles.call("POST", path + "/share", {"expires_in_hours": 0})[0] == 422
    assert raw(roles, "GET", "/shared/" + "A" * 43)[0] == 404
    assert raw(roles, "GET", "/shared/x")[0] == 404


def test_an_expired_link(roles, done, database):
    share = roles.call("POST", f"/calls/{done}/share")[1]
    with database:
        database.execute("UPDATE call_shares SET expires_at = '2026-01-01T00:00:00.000Z' WHERE id = ?", (share["id"],))
    assert raw(roles, "GET", share["path"])[0] == 404


def test_delete(roles, database):
    path = roles.tmp / "gone.wav"
    path.write_bytes(b"RIFF")
    call_id = place(roles)
    status, answer = roles.call("DELETE", "/calls/" + call_id)
    assert status == 409 and answer["code"] == "call_is_live"
    finish(database, call_id, str(path))
    assert roles.call("DELETE", "/calls/" + call_id)[0] == 200
    assert not path.exists()
    for tail in ("", "/transcripts", "/analysis", "/recording"):
        assert roles.call("GET", f"/calls/{call_id}{tail}")[0] == 404
    assert roles.call("DELETE", "/calls/" + call_id)[0] == 404
    assert database.execute("SELECT count(*) FROM transcripts WHERE call_id = ?", (call_id,)).fetchone() == (0,)


class Events:
    """An open event stream."""

    def __init__(self, roles, path, headers=None, token=None):
        self.link = http.client.HTTPConnection("127.0.0.1", roles.api_port, timeout=20)
        self.link.request("GET", path, headers={"Authorization": "Bearer " + (token or roles.token), **(headers or {})})
        self.reply = self.link.getresponse()
        assert self.reply.status == 200
        self.seen = []
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        event = {}
        try:
            for line in self.reply:
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name:
                    event[name] = value
                elif "event" in event:
                    self.seen.append((int(event.get("id", 0)), event["event"], json.loads(event["data"])))
                    event = {}
        except (OSError, ValueError, AttributeError):
            pass

    def wait(self, check, seconds=5):
        return wait_until(lambda: next((e for e in list(self.seen) if check(e)), None), seconds, 0.02)


def test_events_of_a_user(roles, database):
    stream, statuses = Events(roles, "/events"), Events(roles, "/events?kinds=status")
    other = {"email": "eve@example.com", "password": "correct horse"}
    request("POST", roles.api + "/auth/signup", other)
    stranger = Events(roles, "/events", token=request("POST", roles.api + "/auth/login", other)[1]["access_token"])
    call_id = place(roles)
    first = stream.wait(lambda e: e[2].get("call_id") == call_id)
    assert first[1] == "status" and first[2]["status"] == "initiated" and first[2]["agent_id"] == roles.agent_id
    began = time.monotonic()
    with database:
        database.execute("INSERT INTO call_events (call_id, kind, data, at) VALUES (?, 'note', '{}', '2026-01-01T00:00:00.000Z')",
                         (call_id,))
        database.execute("INSERT INTO call_events (call_id, kind, data, at) VALUES (?, 'status', '{\"status\":\"ringing\"}',"
                         " '2026-01-01T00:00:00.000Z')", (call_id,))
    ringing = stream.wait(lambda e: e[2].get("status") == "ringing")
    assert time.monotonic() - began < 1.5
    assert any(e[1] == "note" for e in stream.seen)
    assert statuses.wait(lambda e: e[2].get("status") == "ringing") and all(e[1] == "status" for e in statuses.seen)
    assert stranger.seen == []
    # what came behind the first one comes again
    again = Events(roles, "/events", {"Last-Event-ID": str(first[0])})
    assert again.wait(lambda e: e[0] == ringing[0])
    assert [e[0] for e in again.seen][:2] == [e[0] for e in stream.seen if e[0] > first[0]][:2]
    assert roles.call("GET", "/events?kinds=A;B")[0] == 422


def test_nobody_takes_all_the_live_streams(roles):
    account = {"email": "greedy@example.com", "password": "correct horse"}
    request("POST", roles.api + "/auth/signup", account)
    token = request("POST", roles.api + "/auth/login", account)[1]["access_token"]
    ask = urllib.request.Request(roles.api + "/events", headers={"Authorization": f"Bearer {token}"})
    streams = [urllib.request.urlopen(ask, timeout=20) for _ in range(16)]
    try:
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(ask, timeout=20)
        assert refused.value.code == 429 and json.load(refused.value)["code"] == "too_many_streams"
        assert int(refused.value.headers["Retry-After"]) > 0
        Events(roles, "/events").link.close()  # others have theirs
        streams.pop().close()

        def again():
            try:
                return urllib.request.urlopen(ask, timeout=20)
            except urllib.error.HTTPError:
                return None
        streams.append(wait_until(again, 25, 0.3))
        assert streams[-1]
    finally:
        for stream in streams:
            if stream:
                stream.close()


def test_events_of_a_call_end_when_it_is_analysed(roles, database):
    call_id = place(roles)
    stream = Events(roles, f"/calls/{call_id}/events")
    assert stream.wait(lambda e: e[1] == "status")
    finish(database, call_id)
    with database:
        database.execute("INSERT INTO call_events (call_id, kind, data, at) VALUES (?, 'analysis', '{}', '2026-01-01T00:00:00.000Z')",
                         (call_id,))
    assert stream.wait(lambda e: e[1] == "end")
    late = Events(roles, f"/calls/{call_id}/events", {"Last-Event-ID": str(stream.seen[0][0])})
    assert late.wait(lambda e: e[1] == "analysis")


def test_analytics(roles, done):
    summary = roles.call("GET", "/analytics/summary")[1]
    assert summary["calls"] >= 1 and summary["completed"] >= 1 and summary["outcomes"]["booked"] >= 1
    assert 0 < summary["answer_rate"] <= 1 and summary["avg_duration"] == 30 and summary["cost"] is not None
    days = roles.call("GET", "/analytics/calls")[1]
    assert sum(day["calls"] for day in days) == summary["calls"]
    assert roles.call("GET", "/analytics/outcomes")[1]["sentiments"]["positive"] >= 1
    latency = roles.call("GET", "/analytics/latency?agent_id=" + roles.agent_id)[1]
    assert latency["first_audio_ms"]["p50"] == 700 and latency["llm_ms"] is None
    agents = roles.call("GET", "/analytics/agents")[1]
    assert agents[0]["agent_id"] == roles.agent_id and agents[0]["positive"] >= 1
    empty = roles.call("GET", "/analytics/summary?from=2020-01-01&to=2020-02-01")[1]
    assert empty["calls"] == 0 and empty["answer_rate"] is None and empty["outcomes"] == {}
    nobody = roles.call("GET", "/analytics/summary?agent_id=" + str(uuid.uuid4()))[1]
    assert nobody["calls"] == 0
    assert roles.call("GET", "/analytics/calls?from=2021-01-01&to=2020-01-01")[0] == 422
    assert roles.call("GET", "/analytics/latency?from=now")[0] == 422


def test_phone_numbers(roles):
    body = {"phone_number": "+12025550199", "label": "Sales", "agent_id": roles.agent_id}
    status, number = roles.call("POST", "/phone-numbers", body)
    assert status == 201 and number["agent_name"] == "Joe"
    path = "/phone-numbers/" + number["id"]
    status, answer = roles.call("POST", "/phone-numbers", body)
    assert status == 409 and answer["code"] == "number_exists"
    assert roles.call("PUT", path, {"agent_id": None})[1]["agent_id"] is None
    assert roles.call("PUT", path, {"agent_id": str(uuid.uuid4())})[0] == 404
    assert roles.call("POST", "/phone-numbers", {"phone_number": "0800"})[0] == 422
    assert [n["id"] for n in roles.call("GET", "/phone-numbers")[1]] == [number["id"]]
    assert roles.call("GET", path)[1]["label"] == "Sales"
    assert roles.call("DELETE", path)[0] == 200 and roles.call("GET", path)[0] == 404


def test_another_users_calls_are_not_there(roles, done):
    account = {"email": "mallory@example.com", "password": "correct horse"}
    request("POST", roles.api + "/auth/signup", account)
    token = request("POST", roles.api + "/auth/login", account)[1]["access_token"]
    share = roles.call("POST", f"/calls/{done}/share")[1]
    for method, tail in (("GET", ""), ("DELETE", ""), ("GET", "/transcripts"), ("GET", "/analysis"), ("GET", "/recording"),
                         ("GET", "/events"), ("POST", "/hangup"), ("POST", "/share"), ("GET", "/shares"),
                         ("DELETE", "/shares/" + share["id"])):
        mine = request(method, f"{roles.api}/calls/{done}{tail}", None, token)
        none = request(method, f"{roles.api}/calls/{uuid.uuid4()}{tail}", None, token)
        assert mine == none and mine[0] == 404, (method, tail)
    assert request("GET", roles.api + "/calls", None, token)[1] == []
    assert request("GET", roles.api + "/analytics/summary", None, token)[1]["calls"] == 0
    assert raw(roles, "GET", share["path"])[0] == 200


def test_listening_in(start):
    """The audio of a live call comes through the API, also by a ticket, and ends with the call."""
    stub = Stub()
    stub.reply = "I can tell you a lot about wool. " * 6
    system = System(start, stub)
    system.callee("kind\nanswer after 100\nsay Hello?\nwait\nsay What does it cost?\nwait\nsay And then?\nwait\n")
    call_id = system.dial()
    path = f"/calls/{call_id}/listen"
    wait_until(lambda: system.call(call_id)["status"] == "in-progress", 20)
    ticket = system.ask("POST", "/tickets", {"path": path})["ticket"]
    with urllib.request.urlopen(f"{system.api}{path}?ticket={ticket}", timeout=20) as reply:
        assert reply.headers["Content-Type"] == "audio/wav"
        head = reply.read(44)
        assert head[:4] == b"RIFF" and head[22:24] == b"\x02\x00" and head[24:28] == (8000).to_bytes(4, "little")
        assert len(reply.read(32000)) == 32000  # a second
        system.ask("POST", f"/calls/{call_id}/hangup")
        reply.read()
    system.wait_end(call_id)
    status, answer = request("GET", system.api + path, token=system.token)
    assert status == 409 and answer["code"] == "call_not_live"
    assert request("GET", f"{system.api}/calls/{uuid.uuid4()}/listen", token=system.token)[0] == 404
    assert system.call(call_id)["status"] in FINAL
    stub.close()


def test_retention(tmp_path):
    stub = Stub()
    made = Roles(tmp_path, stub, CARRIER, LLM_PROVIDERS="openai")
    made.start("api")
    made.agent_id = made.agent()
    recording = tmp_path / "old.wav"
    recording.write_bytes(b"RIFF")
    call_id = place(made)
    link = sqlite3.connect(tmp_path / "data" / "relayx.db", timeout=5)
    finish(link, call_id, str(recording))
    with link:
        link.execute("UPDATE calls SET created_at = '2026-01-01T00:00:00.000Z' WHERE id = ?", (call_id,))
        link.execute("INSERT INTO user_limits (user_id, recording_days, transcript_days) SELECT id, 30, 30 FROM users")
    link.close()
    try:
        made.start("worker")
        assert wait_until(lambda: not recording.exists(), 10)
        assert made.call("GET", f"/calls/{call_id}/recording")[0] == 404
        assert made.call("GET", "/calls/" + call_id)[1]["recording_url"] is None
        assert wait_until(lambda: made.call("GET", f"/calls/{call_id}/transcripts")[1] == [], 5)
    finally:
        made.stop()
        stub.close()
