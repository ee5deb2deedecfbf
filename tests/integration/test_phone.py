"""`relayx phone` as a black box: a gateway of this file's own stands in for RelayX's, checks every signature and drives whole calls."""
import array
import asyncio
import base64
import hashlib
import hmac
import io
import json
import math
import shutil
import ssl
import subprocess
import threading
import time
import urllib.parse
import urllib.request
import wave

import pytest
from aiohttp import web

from conftest import clean_environment, free_port, wait_for  # noqa: F401  (clean_environment: used by start)

ACCOUNT, TOKEN = "AC" + "7" * 32, "the-secret-token"
FROM, TO = "+12025550100", "+12025550199"


def signature(url, params=()):
    text = url + "".join(k + v for k, v in sorted(params))
    return base64.b64encode(hmac.new(TOKEN.encode(), text.encode(), hashlib.sha1).digest()).decode()


def ulaw(sample):
    sign, magnitude = (0x80, -sample) if sample < 0 else (0, sample)
    magnitude = min(magnitude, 32635) + 132
    segment = max(0, magnitude.bit_length() - 8)
    return ~(sign | segment << 4 | magnitude >> segment + 3 & 15) & 255


def linear(code):
    code = ~code & 255
    magnitude = (((code & 15) << 3) + 132 << (code >> 4 & 7)) - 132
    return -magnitude if code & 128 else magnitude


def tone(ms, hz=500, peak=8000):
    return bytes(ulaw(int(peak * math.sin(2 * math.pi * hz * i / 8000))) for i in range(ms * 8))


def loudness(codes):
    values = [linear(c) for c in codes] or [0]
    return 20 * math.log10(max(1, math.sqrt(sum(v * v for v in values) / len(values))) / 32768)


class Gateway:
    """Answers webhooks with TwiML and speaks Media Streams, by a behaviour that a test gives."""

    def __init__(self):
        self.webhooks, self.statuses, self.amd, self.problems = [], [], [], []
        self.messages = []  # (time, message) of all streams
        self.behaviour = None  # async function(gateway, send, receive, start)
        self.twiml = None  # function(gateway) -> text
        self.parameters = {"token": "abc & <def>", "call_id": "42"}
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        self.port = asyncio.run_coroutine_threadsafe(self._start(), self.loop).result(10)
        self.base = f"http://127.0.0.1:{self.port}"

    async def _start(self):
        app = web.Application()
        app.router.add_route("*", "/voice", self._voice)
        app.router.add_post("/status", self._status)
        app.router.add_post("/amd", self._amd)
        app.router.add_post("/broken", self._broken)
        app.router.add_get("/media", self._media)
        self.runner = web.AppRunner(app, shutdown_timeout=0.2)
        await self.runner.setup()
        site = web.TCPSite(self.runner, "127.0.0.1", 0)
        await site.start()
        return site._server.sockets[0].getsockname()[1]

    def close(self):
        asyncio.run_coroutine_threadsafe(self.runner.cleanup(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)

    async def _signed(self, request):
        form = await request.post()
        wanted = signature(self.base + request.path_qs, [(k, v) for k, v in form.items()])
        if request.headers.get("X-Twilio-Signature") != wanted:
            self.problems.append(f"wrong signature on {request.path_qs}")
        return dict(form)

    async def _voice(self, request):
        self.webhooks.append({**await self._signed(request), **request.query})
        if self.twiml:
            return web.Response(text=self.twiml(self), content_type="text/xml")
        parameters = "".join(
            f'<Parameter name="{k}" value="{v.replace("&", "&amp;").replace("<", "&lt;")}"/>'
            for k, v in self.parameters.items())
        return web.Response(content_type="text/xml", text=(
            f'<?xml version="1.0"?><Response><Connect><Stream url="ws://127.0.0.1:{self.port}/media">'
            f"{parameters}</Stream></Connect><Hangup/></Response>"))

    async def _status(self, request):
        self.statuses.append(await self._signed(request))
        return web.Response()

    async def _amd(self, request):
        self.amd.append((time.monotonic(), await self._signed(request)))
        return web.Response()

    async def _broken(self, request):
        return web.Response(status=500)

    async def _media(self, request):
        if request.headers.get("X-Twilio-Signature") != signature(f"ws://127.0.0.1:{self.port}/media"):
            self.problems.append("wrong signature on the upgrade")
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        inbox, sid = asyncio.Queue(), None

        async def send(event, **body):
            await ws.send_str(json.dumps({"event": event, "streamSid": sid, **body}))

        async def speak(codes, chunk_ms=100):
            for at in range(0, len(codes), chunk_ms * 8):
                payload = base64.b64encode(codes[at:at + chunk_ms * 8]).decode()
                await send("media", media={"payload": payload})

        async def mark(name):
            await send("mark", mark={"name": name})

        task = None
        async for frame in ws:
            message = json.loads(frame.data)
            self.messages.append((time.monotonic(), message))
            inbox.put_nowait(message)
            if message["event"] == "start":
                sid = message["streamSid"]
                self.ws, self.send, self.speak, self.mark = ws, send, speak, mark
                if self.behaviour:
                    task = asyncio.create_task(self.behaviour(self, inbox))
            if task and task.done():
                task.result()
        if task:
            await asyncio.wait([task], timeout=1)
            if task.done() and task.exception():
                self.problems.append(repr(task.exception()))
        return ws

    def of(self, event):
        return [m for _, m in self.messages if m["event"] == event]


class Phone:
    def __init__(self, start, *flags):
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.program = start("phone", "serve", "--port", self.port, *flags,
                             "--local-speech-url", f"http://127.0.0.1:{free_port()}",  # nobody: espeak-ng speaks
                             "--twilio-account-sid", ACCOUNT, "--twilio-auth-token", TOKEN)
        assert self.program.ready()["phone"] == self.base

    def http(self, method, path, form=None, body=None, auth=f"{ACCOUNT}:{TOKEN}"):
        data = (urllib.parse.urlencode(form).encode() if form is not None
                else json.dumps(body).encode() if body is not None else None)
        request = urllib.request.Request(self.base + path, data, method=method)
        if body is not None:
            request.add_header("Content-Type", "application/json")
        if auth:
            request.add_header("Authorization", "Basic " + base64.b64encode(auth.encode()).decode())
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                raw, status = reply.read(), reply.status
        except urllib.error.HTTPError as error:
            raw, status = error.read(), error.code
        try:
            return status, json.loads(raw)
        except ValueError:
            return status, raw

    def callee(self, script, number=TO, **more):
        status, reply = self.http("POST", "/sim/callees", body={"number": number, "script": script, **more})
        assert status == 201, reply
        return reply

    def call(self, gateway, to=TO, **more):
        form = {"To": to, "From": FROM, "Url": gateway.base + "/voice", **more}
        status, call = self.http("POST", f"/2010-04-01/Accounts/{ACCOUNT}/Calls.json",
                                 form=[(k, v) for k, vs in form.items()
                                       for v in (vs if isinstance(vs, list) else [vs])])
        assert status == 201, call
        return call["sid"]

    def get(self, sid):
        return self.http("GET", f"/2010-04-01/Accounts/{ACCOUNT}/Calls/{sid}.json")[1]

    def update(self, sid, **form):
        return self.http("POST", f"/2010-04-01/Accounts/{ACCOUNT}/Calls/{sid}.json", form=form)

    def report(self, sid):
        return self.http("GET", f"/sim/calls/{sid}", auth=None)[1]

    def ended(self, sid, seconds=30):
        return wait_for(lambda: (r := self.report(sid))["state"] == "ended" and r, seconds, what="the call's end")


@pytest.fixture
def gateway():
    made = Gateway()
    yield made
    made.close()


@pytest.fixture
def phone(start):
    return Phone(start, "--kind", "--ring-ms", "100")


def test_rest_refuses_what_twilio_refuses(phone, gateway):
    calls = f"/2010-04-01/Accounts/{ACCOUNT}/Calls.json"
    good = {"To": TO, "From": FROM, "Url": gateway.base + "/voice"}
    for auth in (None, f"{ACCOUNT}:wrong", "x:y"):
        status, error = phone.http("POST", calls, form=good, auth=auth)
        assert (status, error["code"], error["status"]) == (401, 20003, 401)
    assert phone.http("POST", calls.replace(ACCOUNT, "AC" + "0" * 32), form=good)[0] == 401
    for change, code in (({"To": ""}, 21201), ({"To": "12"}, 21211), ({"From": ""}, 21213), ({"From": "me"}, 21212),
                         ({"Url": ""}, 21205), ({"Url": "gopher://x"}, 21205)):
        status, error = phone.http("POST", calls, form={**good, **change})
        assert (status, error["code"]) == (400, code)
        assert error["message"] and str(code) in error["more_info"]
    status, error = phone.http("GET", calls.replace(".json", "/CA" + "0" * 32 + ".json"))
    assert (status, error["code"]) == (404, 20404)


def test_a_whole_call(phone, gateway):
    rendered = phone.callee("say Hello?\nwait\npress 4#\nwait\nend 20\n")
    assert rendered["rendered_by"] == "espeak-ng"
    assert [line["do"] for line in rendered["lines"]] == ["say", "wait", "press", "wait", "end"]

    async def behave(g, inbox):
        heard = b""
        while len(heard) < 8 * 900:
            message = await inbox.get()
            if message["event"] == "media":
                heard += base64.b64decode(message["media"]["payload"])
        g.heard = heard
        await g.speak(tone(800))
        await g.mark("first")
        while (await inbox.get())["event"] != "mark":
            pass
        while (await inbox.get())["event"] != "dtmf":
            pass
        while (await inbox.get())["event"] != "dtmf":
            pass
        await g.speak(tone(500))
        await g.mark("second")
        while (await inbox.get())["event"] != "mark":
            pass
        await asyncio.sleep(1.2)
        await g.ws.close()

    gateway.behaviour = behave
    sid = phone.call(gateway, StatusCallback=gateway.base + "/status", Timeout="30",
                     StatusCallbackEvent=["initiated", "ringing", "answered completed"])
    assert phone.get(sid)["status"] in ("queued", "ringing")
    report = phone.ended(sid)
    call = phone.get(sid)
    assert gateway.problems == []
    assert report["errors"] == []
    assert (report["status"], report["ended_by"], call["status"]) == ("completed", "agent", "completed")
    assert int(call["duration"]) >= 2 and call["start_time"].endswith("+0000")

    hook, = gateway.webhooks
    assert (hook["CallSid"], hook["AccountSid"], hook["To"], hook["From"]) == (sid, ACCOUNT, TO, FROM)
    assert (hook["CallStatus"], hook["Direction"], hook["ApiVersion"]) == ("in-progress", "outbound-api", "2010-04-01")
    wait_for(lambda: len(gateway.statuses) == 4, 5, what="four status callbacks")
    assert [s["CallStatus"] for s in gateway.statuses] == ["initiated", "ringing", "in-progress", "completed"]
    assert [s["SequenceNumber"] for s in gateway.statuses] == ["0", "1", "2", "3"]
    assert int(gateway.statuses[3]["CallDuration"]) >= 2

    events = [m["event"] for _, m in gateway.messages]
    assert events[:2] == ["connected", "start"]
    start = gateway.of("start")[0]
    assert start["sequenceNumber"] == "1"
    assert start["start"]["callSid"] == sid and start["start"]["accountSid"] == ACCOUNT
    assert start["start"]["customParameters"] == gateway.parameters
    assert start["start"]["mediaFormat"] == {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}
    media = gateway.of("media")
    assert all(isinstance(m["media"][k], str) for m in media for k in ("chunk", "timestamp", "payload"))
    assert [int(m["media"]["chunk"]) for m in media] == list(range(1, len(media) + 1))
    stamps = [int(m["media"]["timestamp"]) for m in media]
    assert [b - a for a, b in zip(stamps, stamps[1:])] == [20] * (len(stamps) - 1)
    numbers = [int(m["sequenceNumber"]) for _, m in gateway.messages[1:]]
    assert numbers == list(range(1, len(numbers) + 1))
    assert [m["dtmf"] for m in gateway.of("dtmf")] == [{"track": "inbound_track", "digit": d} for d in "4#"]
    assert [m["mark"]["name"] for m in gateway.of("mark")] == ["first", "second"]
    assert max(loudness(gateway.heard[at:at + 800]) for at in range(0, len(gateway.heard), 800)) > -30

    # In real time: 20 ms frames came at 20 ms.
    times = [t for t, m in gateway.messages if m["event"] == "media"]
    assert abs((times[-1] - times[0]) - 0.02 * (len(times) - 1)) < 0.15

    assert [w["kind"] for w in report["callee"]] == ["say", "dtmf"]
    first, second = report["agent"]
    assert abs(first["end_ms"] - first["start_ms"] - 800) <= 25 and abs(second["end_ms"] - second["start_ms"] - 500) <= 25
    assert [t["callee"] for t in report["turns"]] == ["Hello?", "4#"]
    assert report["turns"][0]["agent_start_ms"] == first["start_ms"]
    assert report["turns"][1]["agent_start_ms"] == second["start_ms"]
    assert report["turns"][1]["first_audio_ms"] == second["start_ms"] - report["turns"][1]["callee_end_ms"]
    assert [(m["name"], m["played_ms"], m["cleared"]) for m in report["marks"]] == [("first", 800, False), ("second", 1300, False)]
    assert abs(report["marks"][0]["returned_ms"] - first["end_ms"]) <= 60
    assert report["media"]["received_ms"] == 1300 and report["media"]["starved_ms"] == 0
    assert report["timeouts"] == []

    with wave.open(io.BytesIO(phone.http("GET", f"/sim/calls/{sid}/heard.wav", auth=None)[1])) as heard:
        assert (heard.getframerate(), heard.getnchannels(), heard.getsampwidth()) == (8000, 1, 2)
        samples = array.array("h", heard.readframes(heard.getnframes()))
    middle = samples[first["start_ms"] * 8 + 800:first["start_ms"] * 8 + 1600]
    assert max(middle) > 7000
    with wave.open(io.BytesIO(phone.http("GET", f"/sim/calls/{sid}/said.wav", auth=None)[1])) as said:
        assert said.getnframes() == len(samples)


def test_clear_empties_the_buffer_and_gives_marks_back(phone, gateway):
    phone.callee("delay 50\ninterrupt after 0.5 Wait a moment please\nwait\nend\n")

    async def behave(g, inbox):
        await g.speak(tone(3000))
        await g.mark("late")
        await asyncio.sleep(1.0)
        await g.send("clear")
        while True:
            message = await inbox.get()
            if message["event"] == "mark":
                break
        g.mark_at = time.monotonic()
        await asyncio.sleep(2)  # the callee has finished
        await g.speak(tone(400))
        await asyncio.sleep(2)
        await g.ws.close()

    gateway.behaviour = behave
    sid = phone.call(gateway)
    report = phone.ended(sid)
    assert gateway.problems == [] and report["errors"] == []
    clear, = report["clears"]
    assert clear["marks"] == 1
    assert abs(clear["played_ms"] + clear["dropped_ms"] - 3000) <= 1
    assert 950 <= clear["played_ms"] <= 1250
    assert report["marks"][0]["cleared"] and report["marks"][0]["played_ms"] is None
    assert [m["mark"]["name"] for m in gateway.of("mark")] == ["late"]
    first, second = report["agent"]
    assert abs(first["end_ms"] - first["start_ms"] - clear["played_ms"]) <= 25
    words, = report["callee"]
    assert words["kind"] == "interrupt" and abs(words["start_ms"] - first["start_ms"] - 500) <= 60
    assert report["turns"][0]["agent_start_ms"] == second["start_ms"]


def test_the_callee_hangs_up_and_stop_comes(phone, gateway):
    phone.callee("silence 0.5\nhangup\n")
    sid = phone.call(gateway, StatusCallback=gateway.base + "/status")
    report = phone.ended(sid)
    assert (report["status"], report["ended_by"]) == ("completed", "callee")
    stop = wait_for(lambda: gateway.of("stop"), 3)[0]
    assert stop["stop"] == {"accountSid": ACCOUNT, "callSid": sid}
    wait_for(lambda: [s["CallStatus"] for s in gateway.statuses] == ["completed"], 5, what="only `completed`")


def test_unanswered_calls(phone, gateway):
    for script, status in (("busy", "busy"), ("no-answer after 300", "no-answer"), ("fail", "failed")):
        phone.callee(script)
        report = phone.ended(phone.call(gateway))
        assert report["status"] == status
    phone.callee("answer after 5000\nend\n")
    assert phone.ended(phone.call(gateway, Timeout="1"))["status"] == "no-answer"
    sid = phone.call(gateway)
    assert phone.update(sid, Status="canceled")[0] == 200
    assert phone.ended(sid)["status"] == "canceled"
    assert gateway.webhooks == []
    status, listed = phone.http("GET", f"/2010-04-01/Accounts/{ACCOUNT}/Calls.json?To=%2B12025550199&Status=no-answer")
    assert status == 200 and len(listed["calls"]) == 2
    assert phone.http("GET", f"/2010-04-01/Accounts/{ACCOUNT}/Calls.json?To=%2B1999")[1]["calls"] == []


def test_rest_changes_a_live_call(phone, gateway):
    phone.callee("end\n")
    sid = phone.call(gateway)
    wait_for(lambda: gateway.of("start"), 5, what="the stream")
    documents = iter(["<Response><Pause length='1'/></Response>"])
    gateway.twiml = lambda g: next(documents)
    status, call = phone.update(sid, Url=gateway.base + "/voice?again=1", Method="POST")
    assert (status, call["status"]) == (200, "in-progress")
    wait_for(lambda: gateway.of("stop"), 3, what="stop of the replaced stream")
    report = phone.ended(sid)
    assert report["status"] == "completed" and report["ended_by"] == "agent"
    assert gateway.webhooks[1]["again"] == "1" and gateway.problems == []

    gateway.twiml, gateway.messages = None, []
    sid = phone.call(gateway)
    wait_for(lambda: gateway.of("start"), 5, what="the stream")
    assert phone.update(sid, Status="completed")[0] == 200
    assert phone.ended(sid)["ended_by"] == "rest"
    status, error = phone.update(sid, Status="completed")
    assert (status, error["code"]) == (404, 20404)
    status, error = phone.update(sid, Url=gateway.base + "/voice")
    assert (status, error["code"]) == (400, 21220)


def test_bad_webhooks_and_messages_are_reported(phone, gateway):
    phone.callee("end\n")
    report = phone.ended(phone.call(gateway, Url=gateway.base + "/broken"))
    assert report["ended_by"] == "error" and report["errors"] == ["11200: webhook answered 500"]
    report = phone.ended(phone.call(gateway, Url=gateway.base + "/broken", FallbackUrl=gateway.base + "/voice",
                                    TimeLimit="2"))
    assert report["stream_ms"] is not None
    gateway.twiml = lambda g: "<Response><Connect>"
    report = phone.ended(phone.call(gateway))
    assert report["errors"][0].startswith("12100")
    gateway.twiml = lambda g: "<Response><Connect><Stream url='ws://127.0.0.1:1/none'/></Connect></Response>"
    report = phone.ended(phone.call(gateway))
    assert report["errors"][0].startswith("31920")
    gateway.twiml = None

    async def behave(g, inbox):
        await g.ws.send_str("no json")
        await g.send("media", media={"payload": "!!!"})
        await g.send("dance")
        await g.ws.send_str(json.dumps({"event": "clear", "streamSid": "MZ0"}))
        await asyncio.sleep(0.3)
        await g.ws.close()

    gateway.behaviour = behave
    report = phone.ended(phone.call(gateway))
    assert len(report["errors"]) == 4 and all(e.startswith("31951") for e in report["errors"])
    assert report["status"] == "completed"


def test_machines_are_detected(phone, gateway):
    phone.callee("voicemail Please leave a message\nbeep\nend 8\n")
    sid = phone.call(gateway, MachineDetection="DetectMessageEnd", AsyncAmd="true", AsyncAmdStatusCallback=gateway.base + "/amd")
    began = wait_for(lambda: gateway.of("start"), 5) and time.monotonic()
    at, verdict = wait_for(lambda: gateway.amd, 10, what="the verdict")[0]
    assert verdict["AnsweredBy"] == "machine_end_beep" and verdict["CallSid"] == sid
    assert at - began > 1.5
    assert phone.get(sid)["answered_by"] == "machine_end_beep"
    phone.update(sid, Status="completed")
    phone.callee("say Hello\nend 8\n")
    gateway.webhooks.clear()
    sid = phone.call(gateway, MachineDetection="Enable")
    wait_for(lambda: gateway.webhooks, 10, what="the webhook after the verdict")
    assert gateway.webhooks[0]["AnsweredBy"] == "human"
    phone.update(sid, Status="completed")
    phone.ended(sid)


def test_the_line_is_not_kind_by_default(start, gateway):
    phone = Phone(start, "--seed", "7")
    phone.callee("say Hello?\nwait\nend 6\n")

    async def behave(g, inbox):
        for n in range(20):
            await g.speak(tone(100))
            await g.mark(str(n))
        await asyncio.sleep(6)
        await g.ws.close()

    gateway.behaviour = behave
    report = phone.ended(phone.call(gateway))
    line = report["line"]
    assert not line["kind"] and 300 <= line["answer_to_stream_ms"] <= 900
    assert report["stream_ms"] >= line["answer_to_stream_ms"] - 20
    assert 20 <= line["down_ms"] <= 150 and 20 <= line["up_ms"] <= 150
    assert report["callee"][0]["start_ms"] < report["stream_ms"], "hello is said before there is a stream"
    arrivals = [t for t, m in gateway.messages if m["event"] == "media"]
    gaps = [b - a for a, b in zip(arrivals, arrivals[1:])]
    assert max(gaps) > 0.04, "bursts"
    assert line["frames_sent"] == pytest.approx(len(arrivals), abs=20)
    assert len(gateway.of("mark")) + line["marks_lost"] == 20
    noise = b"".join(base64.b64decode(m["media"]["payload"]) for m in gateway.of("media")[-60:-10])
    assert -62 < loudness(noise) < -48
    again = phone.ended(phone.call(gateway))
    assert again["line"]["down_ms"] != line["down_ms"] or again["line"]["up_ms"] != line["up_ms"]


def test_scripts_are_checked(phone):
    for script, part in (("jump", "line 1"), ("say", "line 1"), ("say hi\ninterrupt after x y", "line 2"),
                         ("noise 20", "dBFS"), ("wav /nonexistent.wav", "can't be read"), ("number 5", "number")):
        status, reply = phone.http("POST", "/sim/callees", body={"script": script})
        assert status == 400 and part in reply["error"], reply
    assert phone.http("POST", "/sim/callees", body={"number": None})[0] == 400


def test_a_wav_can_be_said(phone, gateway):
    sound = io.BytesIO()
    with wave.open(sound, "wb") as out:
        out.setnchannels(1), out.setsampwidth(2), out.setframerate(16000)
        out.writeframes(array.array("h", [int(9000 * math.sin(2 * math.pi * 800 * i / 16000)) for i in range(16000)]).tobytes())
    phone.callee("wav beep.wav\nsilence 0.3\nhangup\n", files={"beep.wav": base64.b64encode(sound.getvalue()).decode()})
    report = phone.ended(phone.call(gateway))
    words, = report["callee"]
    assert words["kind"] == "wav" and abs(words["end_ms"] - words["start_ms"] - 1000) <= 30
    heard = b"".join(base64.b64decode(m["media"]["payload"]) for m in gateway.of("media"))
    assert loudness(heard[2400:7200]) > -18


@pytest.mark.skipif(not shutil.which("openssl"), reason="makes its certificate with openssl")
def test_a_stream_over_tls(start, gateway, tmp_path):
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-keyout", key, "-out", certificate], check=True, capture_output=True)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    urls = []

    async def media(request):
        assert request.headers["X-Twilio-Signature"] == signature(urls[0])
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        async for frame in ws:
            gateway.messages.append((time.monotonic(), json.loads(frame.data)))
            if len(gateway.messages) == 40:
                await ws.close()
        return ws

    async def serve():
        app = web.Application()
        app.router.add_get("/media", media)
        runner = web.AppRunner(app, shutdown_timeout=0.2)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
        await site.start()
        return site._server.sockets[0].getsockname()[1]

    urls.append(f"wss://127.0.0.1:{asyncio.run_coroutine_threadsafe(serve(), gateway.loop).result(10)}/media")
    gateway.twiml = lambda g: f'<Response><Connect><Stream url="{urls[0]}"/></Connect></Response>'
    strict = Phone(start, "--kind")
    strict.callee("end 5\n")
    report = strict.ended(strict.call(gateway))
    assert report["errors"][0].startswith("31920") and "certificate" in report["errors"][0].lower()
    lenient = Phone(start, "--kind", "--insecure")
    lenient.callee("end 5\n")
    report = lenient.ended(lenient.call(gateway))
    assert report["errors"] == [] and report["ended_by"] == "agent"
    assert len(gateway.of("media")) >= 38


def test_load_reports(run, gateway, tmp_path):
    async def behave(g, inbox):
        await g.speak(tone(500))
        await asyncio.sleep(1)
        await g.ws.close()

    gateway.behaviour = behave
    script = tmp_path / "callee.txt"
    script.write_text("silence 0.2\nwait\nend 5\n")
    done = run("phone", "load", "--kind", "--webhook", gateway.base + "/voice?n={n}", "--calls", 6, "--concurrent", 3,
               "--script", script, "--port", free_port(), "--twilio-account-sid", ACCOUNT, "--twilio-auth-token", TOKEN)
    report = json.loads(done.stdout)
    assert done.returncode == 0 and (report["calls"], report["completed"], report["failed"]) == (6, 6, 0), report
    assert sorted(h["n"] for h in gateway.webhooks) == list("012345")
    assert report["setup_ms"]["p50"] < 1000 and report["longest_gap_ms"]["max"] < 100
    assert gateway.problems == []


def test_it_stops_in_order(phone, gateway):
    phone.callee("end\n")
    phone.call(gateway, StatusCallback=gateway.base + "/status")
    wait_for(lambda: gateway.of("start"), 5, what="the stream")
    assert phone.program.stop(10) == 0
    assert gateway.of("stop")
    assert gateway.statuses[-1]["CallStatus"] == "completed"
