"""The gateway when the store, the disk or the carrier's callbacks are not as they should be. Doubles that share no code with RelayX."""

import asyncio
import json
import subprocess
import time
import urllib.parse
import urllib.request

import pytest

import doubles
from doubles import Carrier, Loop, Providers
from conftest import RELAYX, free_port
from roles import Roles, request, wait_until
from test_reliability import backlog, end_of, finished, rows_of, said, speech, store_away


@pytest.fixture
def world(tmp_path):
    loop = Loop()
    providers, carrier = Providers(loop), Carrier(loop)
    roles = Roles(tmp_path, providers, carrier)
    yield loop, providers, carrier, roles
    roles.stop()
    loop.close()


def test_a_row_is_durable_within_a_second_though_the_store_hangs(world):
    """In the first seconds of an outage a write neither succeeds nor fails: the row must be on disk all the same, and the next
    turn must not be late."""
    loop, providers, carrier, roles = world
    providers.heard = ["Hello?", "What are your opening hours on Saturday?", "And on Sunday?"]
    away, heard, again = asyncio.Event(), asyncio.Event(), asyncio.Event()
    seen = {}

    async def callee(line):
        await line.listen(0.3)
        await line.say(speech("hello"))
        await line.hear_answer()
        loop.loop.call_soon(away.set)
        await line.listen(0.3)
        for name, event in (("first", heard), ("second", again)):
            spoken = await line.say(speech("question"))
            await line.listen(6, lambda: line.first_audio_after(spoken))
            seen[name] = line.first_audio_after(spoken) - spoken
            event.set()
            await line.hear_answer()
        await line.listen(20)

    def on_disk(words):
        return words in "".join(file.read_text() for file in (roles.tmp / "data" / "spool").glob("*.spool"))

    carrier.callee = callee
    roles.start_all()
    body = roles.dial(roles.agent())
    loop.run(asyncio.wait_for(away.wait(), 30), 35)
    with store_away(roles):
        since = time.monotonic()
        loop.run(asyncio.wait_for(heard.wait(), 30), 35)
        assert wait_until(lambda: on_disk("Saturday"), 1.0, 0.02)
        assert time.monotonic() - since < 5, "the store's own time-out must not have helped"
        loop.run(asyncio.wait_for(again.wait(), 30), 35)
        assert on_disk("Saturday")
        roles.processes["gateway"].kill()
        roles.processes["gateway"].wait()
    assert max(seen.values()) < 2.5, seen
    roles.start("gateway")
    assert roles.ended(body["call_id"], 20)["ended_reason"] == "gateway_lost"
    assert wait_until(lambda: not list((roles.tmp / "data" / "spool").glob("*.spool")), 15)
    texts = [text for _, _, text in rows_of(roles, body["call_id"])]
    assert texts.count("What are your opening hours on Saturday?") == 1, texts


def test_a_store_that_hangs_holds_up_no_webhook_and_no_start(world):
    loop, providers, carrier, roles = world
    answers, took, heard = asyncio.Event(), {}, []
    carrier.status_events = ("initiated", "ringing")
    original_live, original_post = carrier.live, carrier.post

    async def post(url, params):
        began = time.monotonic()
        try:
            return await original_post(url, params)
        finally:
            took.setdefault(url.rsplit("/", 2)[1], []).append(time.monotonic() - began)

    async def live(call):
        for status in carrier.status_events:
            await carrier.tell(call, status)
        await answers.wait()
        carrier.status_events = ()
        await original_live(call)

    async def callee(line):
        began = time.monotonic()
        await line.listen(0.3)
        await line.say(speech("hello"))
        first = await line.hear_answer(12)
        heard.append(first and first - began)

    carrier.live, carrier.post, carrier.callee = live, post, callee
    roles.start_all()
    body = roles.dial(roles.agent())
    time.sleep(1.5)  # it rings: the call is loaded
    took.clear()
    with store_away(roles):
        loop.loop.call_soon_threadsafe(answers.set)
        finished(loop, carrier, body)
    assert took["voice"][0] < 2.4 and max(took["status"]) < 2.4, took
    assert heard[0] and heard[0] < 4.0, heard
    assert wait_until(lambda: backlog(roles) == 0, 15)
    call = roles.ended(body["call_id"])
    assert call["status"] == "completed" and said(call, "ai"), call


def test_what_comes_in_one_piece_with_start_is_heard(world):
    """A carrier may write `start` and the first frames, and a key, into one packet."""
    loop, providers, carrier, roles = world

    async def callee(line):
        await line.listen(3)

    async def start(self, account, parameters):
        self.origin = time.monotonic()
        messages = [{"event": "connected", "protocol": "Call", "version": "1.0.0"},
                    {"event": "start", "sequenceNumber": "1", "streamSid": self.sid, "start": {
                        "streamSid": self.sid, "accountSid": account, "callSid": self.call["sid"],
                        "tracks": ["inbound"], "customParameters": parameters,
                        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}}},
                    {"event": "dtmf", "streamSid": self.sid, "dtmf": {"track": "inbound_track", "digit": "7"}},
                    {"event": "stop", "streamSid": self.sid, "stop": {"callSid": self.call["sid"]}}]
        transport = self.socket._response.connection.transport
        frames = b"".join(client_frame(json.dumps(message).encode()) for message in messages)
        transport.write(frames)

    original, doubles.Line.start = doubles.Line.start, start
    try:
        carrier.callee = callee
        roles.start_all()
        body = roles.dial(roles.agent())
        call = roles.ended(body["call_id"], 10)
    finally:
        doubles.Line.start = original
    assert call["ended_reason"] == "callee_hangup", call


def client_frame(payload):
    """A masked text frame (RFC 6455 5.2), the mask all zero."""
    length = bytes([0x80 | len(payload)]) if len(payload) < 126 else bytes([0xfe]) + len(payload).to_bytes(2, "big")
    return b"\x81" + length + b"\0\0\0\0" + payload


# ---- the carrier's callbacks land on any gateway ----

class Second:
    """A second gateway behind the same public address."""

    def __init__(self, roles, carrier):
        self.port, self.carrier, self.roles = free_port(), carrier, roles
        log = open(roles.tmp / "second.log", "ab")
        environment = {**roles.environment, "RELAYX_GATEWAY_PORT": str(self.port)}
        roles.processes["second"] = subprocess.Popen([RELAYX, "gateway"], env=environment, stdout=log,
                                                     stderr=log, cwd=roles.tmp)
        assert wait_until(self.healthy, 10)

    def healthy(self):
        try:
            return request("GET", f"http://127.0.0.1:{self.port}/health")[0] == 200
        except OSError:
            return False

    def post(self, path, **fields):
        body = urllib.parse.urlencode(fields).encode()
        signature = self.carrier.sign(self.roles.gateway + path, fields)
        query = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", body, method="POST",
                                       headers={"X-Twilio-Signature": signature})
        with urllib.request.urlopen(query, timeout=5) as answer:
            return answer.status


def silent_call(world):
    loop, providers, carrier, roles = world
    started = asyncio.Event()

    async def callee(line):
        started.set()
        await line.listen(12)

    carrier.callee = callee
    roles.start_all()
    second = Second(roles, carrier)
    body = roles.dial(roles.agent())
    return started, second, body


def test_who_answered_reaches_the_gateway_that_holds_the_call(world):
    loop, providers, carrier, roles = world
    started, second, body = silent_call(world)
    loop.run(asyncio.wait_for(started.wait(), 20), 25)
    time.sleep(0.4)
    assert second.post(f"/twilio/amd/{body['call_id']}", CallSid=body["twilio_sid"],
                       AnsweredBy="machine_start") == 204
    call = roles.ended(body["call_id"], 6)
    assert call["ended_reason"] == "voicemail", call


@pytest.mark.parametrize("where", ["second", "own"])
def test_who_answered_said_before_the_start_is_not_lost(world, where):
    loop, providers, carrier, roles = world
    answers = asyncio.Event()
    original = carrier.live

    async def live(call):
        for status in ("initiated", "ringing"):
            await carrier.tell(call, status)
        await answers.wait()
        carrier.status_events = ()
        await original(call)

    carrier.live = live
    started, second, body = silent_call(world)
    time.sleep(1)
    if where == "own":
        second.port = roles.gateway_port
    second.post(f"/twilio/amd/{body['call_id']}", CallSid=body["twilio_sid"], AnsweredBy="machine_start")
    time.sleep(0.5)
    loop.loop.call_soon_threadsafe(answers.set)
    call = roles.ended(body["call_id"], 8)
    assert call["ended_reason"] == "voicemail", call


def test_the_carriers_end_counts_though_the_stream_says_nothing(world):
    """The socket is half open: nothing more would ever come from it."""
    loop, providers, carrier, roles = world
    started, second, body = silent_call(world)
    loop.run(asyncio.wait_for(started.wait(), 20), 25)
    time.sleep(1)
    began = time.monotonic()
    second.post(f"/twilio/status/{body['call_id']}", CallSid=body["twilio_sid"], CallStatus="completed")
    call = roles.ended(body["call_id"], 6)
    assert call["status"] == "completed" and call["ended_reason"] == "callee_hangup", call
    assert time.monotonic() - began < 5
