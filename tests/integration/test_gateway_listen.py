"""Listening in to a live call over the gateway's control address."""

import asyncio
import contextlib
import hashlib
import hmac
import http.client
import struct
import threading
import time
import urllib.error
import urllib.request

import pytest

from doubles import Carrier, Loop, Providers
from roles import Roles, wait_until
from test_reliability import finished, speech


@pytest.fixture
def world(tmp_path):
    loop = Loop()
    providers, carrier = Providers(loop), Carrier(loop)
    roles = Roles(tmp_path, providers, carrier)
    yield loop, providers, carrier, roles
    roles.stop()
    loop.close()


def control(roles, method, path, sign=True):
    """An open answer of the control address."""
    with roles.database() as database:
        url = database.execute("SELECT control_url FROM gateways").fetchone()[0]
    secret = roles.environment["JWT_SECRET_KEY"].encode()
    key = hmac.new(secret, b"relayx control", hashlib.sha256).digest()
    now = int(time.time())
    mac = hmac.new(key, f"{method}\n{path}\n{now}".encode(), hashlib.sha256).hexdigest()
    headers = {"X-RelayX-Control": f"{now}.{mac}"} if sign else {}
    return urllib.request.urlopen(urllib.request.Request(url + path, method=method, headers=headers), timeout=10)


class Listener(threading.Thread):
    """Reads to the end; `reads` False: takes the headers and then nothing."""

    def __init__(self, roles, call_id, reads=True):
        super().__init__(daemon=True)
        self.answer = control(roles, "GET", f"/control/listen/{call_id}")
        self.data, self.reads, self.arrived = b"", reads, []
        if reads:
            self.start()

    def run(self):
        with contextlib.suppress(OSError, http.client.HTTPException):  # it was cut off on purpose
            while block := self.answer.read1(65536):
                self.data += block
                self.arrived.append((time.monotonic(), len(self.data)))

    def channels(self):
        samples = struct.unpack(f"<{(len(self.data) - 44) // 4 * 2}h", self.data[44:44 + (len(self.data) - 44) // 4 * 4])
        return samples[::2], samples[1::2]


def loud_ms(samples):
    return sum(max(map(abs, samples[i:i + 160]), default=0) > 500 for i in range(0, len(samples), 160)) * 20


def test_listening_in(world):
    loop, providers, carrier, roles = world
    providers.heard = ["Hello?", "What are your opening hours on Saturday?"]
    live, go = asyncio.Event(), asyncio.Event()
    heard = []

    async def callee(line):
        await line.listen(0.5)
        live.set()
        while not go.is_set():
            await line.listen(0.1)
        await line.say(speech("hello"))
        heard.append(await line.hear_answer())
        await line.say(speech("question"))
        heard.append(await line.hear_answer())

    carrier.callee = callee
    roles.start_all()
    body = roles.dial(roles.agent())
    loop.run(asyncio.wait_for(live.wait(), 20), 25)
    path = f"/control/listen/{body['call_id']}"
    listeners = [Listener(roles, body["call_id"]) for _ in range(3)]
    stuck = Listener(roles, body["call_id"], reads=False)
    with pytest.raises(urllib.error.HTTPError) as fifth:
        control(roles, "GET", path)
    assert fifth.value.code == 409
    began = time.monotonic()
    loop.loop.call_soon_threadsafe(go.set)
    time.sleep(1)
    listeners[0].answer.fp.raw._sock.shutdown(2)  # goes away: there is room again
    late = wait_until(lambda: try_listen(roles, body["call_id"]), 5)
    finished(loop, carrier, body)
    assert all(heard), heard
    for listener in (listeners[1], listeners[2], late):
        listener.join(10)
        assert not listener.is_alive(), "a listener's stream ends with the call"
    full = listeners[1]
    assert full.answer.headers["Content-Type"] == "audio/wav" and full.data[:4] == b"RIFF"
    left, right = full.channels()
    assert loud_ms(left) > 1200 and loud_ms(right) > 2000
    length = len(left) / 8000
    spanned = full.arrived[-1][0] - began
    assert abs(length - spanned) < 2.0, (length, spanned)  # live: as it comes, not at the end
    assert len(full.arrived) > 10
    stuck.answer.close()


def try_listen(roles, call_id):
    try:
        return Listener(roles, call_id)
    except urllib.error.HTTPError as error:
        assert error.code == 409
        return None


def test_who_may_not_listen_in(world):
    loop, providers, carrier, roles = world
    live = asyncio.Event()

    async def callee(line):
        live.set()
        await line.listen(3)

    carrier.callee = callee
    roles.start_all()
    body = roles.dial(roles.agent())
    loop.run(asyncio.wait_for(live.wait(), 20), 25)
    for path, sign, code in ((f"/control/listen/{body['call_id']}", False, 403),
                             ("/control/listen/00000000-0000-4000-8000-000000000000", True, 404),
                             ("/control/listen/nonsense", True, 404)):
        with pytest.raises(urllib.error.HTTPError) as refused:
            control(roles, "GET", path, sign)
        assert refused.value.code == code, path
    finished(loop, carrier, body)
    with pytest.raises(urllib.error.HTTPError) as over:
        control(roles, "GET", f"/control/listen/{body['call_id']}")
    assert over.value.code == 404
