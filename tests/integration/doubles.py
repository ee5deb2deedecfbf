"""Stand-ins for the outside world that share no code with RelayX: OpenAI-compatible providers with fixed latencies, and a carrier
that behaves as Twilio does. Both run on one asyncio thread (aiohttp)."""

import asyncio
import audio_levels as audio
import base64
import hashlib
import hmac
import json
import threading
import time
import uuid
import xml.etree.ElementTree as ElementTree

import aiohttp
from aiohttp import web


class Loop:
    """An asyncio loop on a thread, with servers on free ports."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self.utterances = 0  # of all callees: what speech to text is to hear
        self.runners = []
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def run(self, coroutine, timeout=30):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(timeout)

    def serve(self, app):
        async def start():
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            self.runners.append(runner)
            return site._server.sockets[0].getsockname()[1]

        return self.run(start())

    def close(self):
        async def stop():
            for runner in self.runners:
                await runner.cleanup()

        self.run(stop())
        self.loop.call_soon_threadsafe(self.loop.stop)


class Providers:
    """/v1/audio/transcriptions, /v1/chat/completions (SSE), /v1/audio/speech: each answers after its latency."""

    def __init__(self, loop):
        self.stt_s, self.llm_s, self.tts_s = 0.05, 0.05, 0.05
        self.loop = loop
        self.heard = ["What are your opening hours?"]
        self.reply = "We are open from nine to five. Is there anything else?"
        self.broken = {}  # stage -> "500" | "empty" | "stall"
        self.requests = {"stt": [], "llm": [], "tts": []}
        self.took = {"stt": [], "llm": [], "tts": []}  # seconds until the first byte of each answer
        self.spoken_s = 0.08  # seconds of audio a character
        app = web.Application(client_max_size=8 << 20)
        app.router.add_post("/v1/audio/transcriptions", self.transcribe)
        app.router.add_post("/v1/chat/completions", self.chat)
        app.router.add_post("/v1/audio/speech", self.speak)
        self.url = f"http://127.0.0.1:{loop.serve(app)}/v1"

    @property
    def heard(self):
        """What the callee's utterances are heard as, in order, however often each is transcribed; the last one repeats."""
        return self._heard

    @heard.setter
    def heard(self, texts):
        self._heard, self.first = texts, self.loop.utterances

    async def trouble(self, stage):
        mode = self.broken.get(stage)
        if mode == "500":
            return web.json_response({"error": {"message": "broken on purpose"}}, status=500)
        if mode == "stall":
            await asyncio.sleep(60)
        return None

    async def transcribe(self, request):
        form = await request.post()
        started = time.monotonic()
        wav = form["file"].file.read()
        self.requests["stt"].append({"at": started, "bytes": len(wav), "model": form["model"]})
        said = max(0, self.loop.utterances - self.first - 1)
        text = "" if self.broken.get("stt") == "empty" else self.heard[min(said, len(self.heard) - 1)]
        failed = await self.trouble("stt")
        if failed:
            return failed
        await asyncio.sleep(self.stt_s)
        self.took["stt"].append(time.monotonic() - started)
        return web.json_response({"text": text})

    async def chat(self, request):
        body = await request.json()
        self.requests["llm"].append({"at": time.monotonic(), "body": body})
        failed = await self.trouble("llm")
        if failed:
            return failed
        text = "" if self.broken.get("llm") == "empty" else self.reply
        if not body.get("stream"):
            return web.json_response(
                {"choices": [{"message": {"role": "assistant", "content": text}}]})
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await asyncio.sleep(self.llm_s)
        self.took["llm"].append(time.monotonic() - self.requests["llm"][-1]["at"])
        chunks = [{"choices": [{"index": 0, "delta": {"content": word + " "}}]}
                  for word in text.split(" ")]
        chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        events = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks] + ["data: [DONE]\n\n"]
        await response.write("".join(events).encode())
        await response.write_eof()
        return response

    async def speak(self, request):
        body = await request.json()
        self.requests["tts"].append({"at": time.monotonic(), "text": body["input"]})
        failed = await self.trouble("tts")
        if failed:
            return failed
        response = web.StreamResponse(headers={"Content-Type": "application/octet-stream"})
        await response.prepare(request)
        await asyncio.sleep(self.tts_s)
        if self.broken.get("tts") != "empty":
            sound = audio.tone(24000, len(body["input"]) * self.spoken_s)
            self.took["tts"].append(time.monotonic() - self.requests["tts"][-1]["at"])
            await response.write(sound)
        await response.write_eof()
        return response


class Carrier:
    """Twilio: REST with basic auth, signed webhooks, Media Streams. `callee` is an async function that drives the line."""

    account, token = "AC" + "1" * 32, "a-token-that-only-tests-know"

    def __init__(self, loop):
        self.loop = loop
        self.calls = {}
        self.callee = None
        self.status_events = ("initiated", "ringing")
        app = web.Application()
        base = "/2010-04-01/Accounts/{account}"
        app.router.add_post(base + "/Calls.json", self.create)
        app.router.add_get(base + "/Calls.json", self.list)
        app.router.add_post(base + "/Calls/{sid}.json", self.update)
        app.router.add_get(base + "/Calls/{sid}.json", self.fetch)
        self.url = f"http://127.0.0.1:{loop.serve(app)}"

    def sign(self, url, params=None):
        text = url + "".join(k + v for k, v in sorted((params or {}).items()))
        mac = hmac.new(self.token.encode(), text.encode(), hashlib.sha1)
        return base64.b64encode(mac.digest()).decode()

    def authorised(self, request):
        want = base64.b64encode(f"{self.account}:{self.token}".encode()).decode()
        return request.headers.get("Authorization") == "Basic " + want

    async def create(self, request):
        if not self.authorised(request):
            return web.json_response({"code": 20003, "message": "Authenticate"}, status=401)
        form = await request.post()
        for name in ("To", "From", "Url"):
            if name not in form:
                return web.json_response({"code": 21201, "message": f"no {name}"}, status=400)
        call = {"sid": "CA" + uuid.uuid4().hex, "status": "queued", "form": dict(form),
                "messages": [], "done": asyncio.Event()}
        self.calls[call["sid"]] = call
        asyncio.get_running_loop().create_task(self.live(call))
        return web.json_response({"sid": call["sid"], "status": "queued"}, status=201)

    async def list(self, request):
        return web.json_response({"calls": [{"sid": c["sid"], "status": c["status"]}
                                            for c in self.calls.values()]})

    async def fetch(self, request):
        call = self.calls.get(request.match_info["sid"])
        if not call:
            return web.json_response({"code": 20404}, status=404)
        return web.json_response({"sid": call["sid"], "status": call["status"]})

    async def update(self, request):
        call = self.calls.get(request.match_info["sid"])
        if not call or call["status"] == "completed":
            return web.json_response({"code": 20404, "message": "not found"}, status=404)
        call["rest_hangup"] = True
        socket = call.get("socket")
        if socket:
            await socket.close()
        return web.json_response({"sid": call["sid"], "status": "completed"})

    async def post(self, url, params):
        async with aiohttp.ClientSession() as session:
            headers = {"X-Twilio-Signature": self.sign(url, params)}
            async with session.post(url, data=params, headers=headers) as answer:
                return answer.status, await answer.text()

    async def tell(self, call, status):
        url = call["form"].get("StatusCallback")
        call["status"] = status
        if url:
            await self.post(url, {"CallSid": call["sid"], "CallStatus": status,
                                  "AccountSid": self.account})

    async def live(self, call):
        try:
            for status in self.status_events:
                await self.tell(call, status)
            await asyncio.sleep(0.3)
            call["status"] = "in-progress"
            params = {"CallSid": call["sid"], "AccountSid": self.account, "CallStatus": "in-progress",
                      "From": call["form"]["From"], "To": call["form"]["To"]}
            code, twiml = await self.post(call["form"]["Url"], params)
            call["twiml"] = twiml
            if code == 200 and self.callee:
                await self.stream(call, ElementTree.fromstring(twiml))
        except Exception as error:  # the test looks at it
            call["error"] = repr(error)
        finally:
            try:
                await self.tell(call, "completed")
            except aiohttp.ClientError as error:  # the gateway is away
                call["untold"] = repr(error)
            call["done"].set()

    async def stream(self, call, twiml):
        stream = twiml.find("./Connect/Stream")
        url = stream.get("url")
        params = {p.get("name"): p.get("value") for p in stream.findall("Parameter")}
        call["parameters"] = params
        async with aiohttp.ClientSession() as session:
            async with session.ws_connect(url.replace("ws", "http", 1), headers={
                    "X-Twilio-Signature": self.sign(url)}) as socket:
                call["socket"] = socket
                line = Line(self.loop, call, socket)
                await line.start(self.account, params)
                reader = asyncio.get_running_loop().create_task(line.read())
                try:
                    await self.callee(line)
                finally:
                    await socket.close()
                    reader.cancel()


class Line:
    """The phone's end of a media stream: 20 ms frames in real time, a playout buffer that returns marks."""

    def __init__(self, loop, call, socket):
        self.loop, self.call, self.socket = loop, call, socket
        self.sid = "MZ" + uuid.uuid4().hex
        self.sequence, self.frame = 1, 0
        self.buffer, self.played = [], []  # (ulaw frame | mark name); (time, frame)
        self.arrived = []  # when media messages came
        self.clears = []
        self.closed = asyncio.Event()
        self.speech = b""
        self.last_voice = None  # monotonic time of the last frame of speech that was sent

    async def start(self, account, parameters):
        self.origin = time.monotonic()
        await self.send({"event": "connected", "protocol": "Call", "version": "1.0.0"})
        await self.send({"event": "start", "sequenceNumber": "1", "streamSid": self.sid, "start": {
            "streamSid": self.sid, "accountSid": account, "callSid": self.call["sid"],
            "tracks": ["inbound"], "customParameters": parameters,
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}}})

    async def send(self, message):
        try:
            await self.socket.send_str(json.dumps(message))
        except ConnectionError:  # the gateway has closed it
            self.closed.set()

    async def read(self):
        async for message in self.socket:
            data = json.loads(message.data)
            self.call["messages"].append(data)
            if data["event"] == "media":
                self.arrived.append(time.monotonic())
                ulaw = base64.b64decode(data["media"]["payload"], validate=True)
                self.buffer += [ulaw[i:i + 160] for i in range(0, len(ulaw), 160)]
            elif data["event"] == "mark":
                self.buffer.append(data["mark"]["name"])
            elif data["event"] == "clear":
                self.clears.append(time.monotonic())
                for entry in self.buffer:
                    if isinstance(entry, str):
                        await self.mark(entry)
                self.buffer = []
        self.closed.set()

    async def mark(self, name):
        await self.send({"event": "mark", "sequenceNumber": "9", "streamSid": self.sid,
                         "mark": {"name": name}})

    async def tick(self):
        """One 20 ms frame each way, at its time."""
        due = self.origin + self.frame * 0.02
        await asyncio.sleep(max(0, due - time.monotonic()))
        frame, self.speech = self.speech[:160], self.speech[160:]
        if frame and audio.loud(frame):
            self.last_voice = time.monotonic()
        frame = frame.ljust(160, b"\xff")
        self.sequence += 1
        await self.send({"event": "media", "sequenceNumber": str(self.sequence), "streamSid": self.sid,
                         "media": {"track": "inbound", "chunk": str(self.frame + 1),
                                   "timestamp": str(self.frame * 20),
                                   "payload": base64.b64encode(frame).decode()}})
        self.frame += 1
        while self.buffer and isinstance(self.buffer[0], str):
            await self.mark(self.buffer.pop(0))
        if self.buffer:
            self.played.append((time.monotonic(), self.buffer.pop(0)))

    async def say(self, ulaw):
        self.speech = ulaw
        self.loop.utterances += 1
        while self.speech and not self.closed.is_set():
            await self.tick()
        return self.last_voice

    async def listen(self, seconds, until=None):
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self.closed.is_set() and not (until and until()):
            await self.tick()

    def first_audio_after(self, moment):
        for at, frame in self.played:
            if at > moment and audio.loud(frame):
                return at
        return None

    async def hear_answer(self, seconds=8):
        """Waits until the agent has spoken after the last words and has then been quiet for a second."""
        since = self.last_voice or self.origin
        await self.listen(seconds, lambda: self.first_audio_after(since))
        first = self.first_audio_after(since)

        def quiet():
            last = [at for at, frame in self.played if audio.loud(frame)][-1]
            return not self.buffer and time.monotonic() - last > 1.0

        if first:
            await self.listen(20, quiet)
        return first
