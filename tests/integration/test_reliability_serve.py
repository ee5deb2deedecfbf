"""`relayx serve` with the local models and the simulated phone: what a call has from a model's death in the middle of it."""

import array
import io
import os
import signal
import time
import urllib.request
import wave

import pytest

from conftest import ROOT, RELAYX, free_port, request, wait_for

FINAL = ("completed", "failed", "busy", "no-answer", "canceled")
SILENCE_MAX_S = 10
LONG = ["Hello?", "What can you do for me?", "Where are you calling from?", "Thank you, goodbye."]
SHORT = ["Hello?", "What can you do for me?"]


def script(lines):
    return ("kind\nquiet 900\nlimit 25\nanswer after 100\n" +
            "".join(f"say {line}\nwait\n" for line in lines) + "hangup\n")


class Served:
    def __init__(self, start):
        names = ("api", "gateway", "phone", "speech", "llm", "embed")
        self.program = start("serve", "--data", "d", *[f"--{name}-port={free_port()}" for name in names])
        addresses = self.program.ready(90)
        self.api, self.phone = addresses["api"], addresses["phone"]
        login = {"email": "t@example.com", "password": "secret-1"}
        assert request("POST", self.api + "/auth/signup", login)[0] == 201
        self.token = request("POST", self.api + "/auth/login", login)[1]["access_token"]
        self.agent = request("POST", self.api + "/agents", {
            "name": "Tess", "prompt_text": "You are Tess of Northwind, a shop for bicycles. Answer briefly."},
            self.token)[1]["id"]

    def dial(self, lines):
        status, answer = request("POST", self.phone + "/sim/callees",
                                 {"number": "+12025550123", "script": script(lines)}, timeout=60)
        assert status == 201, answer
        status, answer = request("POST", self.api + "/calls/outbound",
                                 {"agent_id": self.agent, "phone_number": "+12025550123"}, self.token)
        assert status == 200, answer
        return answer["call_id"]

    def call(self, call_id):
        return request("GET", f"{self.api}/calls/{call_id}", token=self.token)[1]

    def spoken(self, call_id):
        return len([row for row in self.call(call_id)["transcripts"] if row["speaker"] == "ai"])

    def ended(self, call_id, seconds=150):
        def over():
            call = self.call(call_id)
            return call if call["status"] in FINAL else None
        return wait_for(over, seconds, 0.3, "the end of the call")


@pytest.fixture
def served(start):
    if not (RELAYX.resolve().parent.parent / "models.env").exists() and not (ROOT / "build/models.env").exists():
        pytest.skip("the local models are not set up: tools/setup models")
    made = Served(start)
    yield made
    assert made.program.stop() == 0


def loud(url):
    """Where a recording of the phone is loud: one truth value for each 100 ms."""
    with urllib.request.urlopen(url, timeout=20) as answer, wave.open(io.BytesIO(answer.read())) as wav:
        step = wav.getframerate() // 10
        samples = array.array("h", wav.readframes(wav.getnframes()))
    return [max(map(abs, samples[i:i + step]), default=0) > 400 for i in range(0, len(samples), step)]


def longest_silence(system, sid):
    """Seconds in which neither side could be heard."""
    heard, said = (loud(f"{system.phone}/sim/calls/{sid}/{name}.wav") for name in ("heard", "said"))
    longest = run = 0
    for i in range(max(len(heard), len(said))):
        sound = any(side[i] for side in (heard, said) if i < len(side))
        run = 0 if sound else run + 1
        longest = max(longest, run)
    return longest / 10


@pytest.mark.parametrize("name", ["speech", "llm", "embed"])
def test_a_model_killed_in_mid_call_costs_no_silence(served, name):
    call_id = served.dial(LONG)
    wait_for(lambda: served.spoken(call_id) >= 2, 60, 0.2, "the first answer")
    first = served.program.child(name)
    os.kill(first, signal.SIGKILL)
    killed = time.monotonic()
    wait_for(lambda: served.program.child(name) != first, 5, what="a new " + name)
    call = served.ended(call_id)
    said = [(row["speaker"], row["text"]) for row in call["transcripts"]]
    silence = longest_silence(served, call["twilio_sid"])
    print(f"{name}: {call['status']} {call['ended_reason']} after {time.monotonic() - killed:.1f} s, "
          f"longest silence {silence} s\n" + "\n".join(map(str, said)))
    assert silence <= SILENCE_MAX_S, said
    assert call["status"] == "completed" or "provider" in call["ended_reason"], call
    if call["status"] == "failed":  # politely: it says so
        assert said[-1][0] == "ai", said
    again = served.ended(served.dial(SHORT))
    assert again["status"] == "completed", again
    assert [row for row in again["transcripts"] if row["speaker"] == "user"]


def test_a_killed_gateway_of_a_call_with_local_models(served):
    call_id = served.dial(LONG)
    wait_for(lambda: served.spoken(call_id) >= 2, 60, 0.2, "the first answer")
    os.kill(served.program.child("gateway"), signal.SIGKILL)
    killed = time.monotonic()
    call = served.ended(call_id, 12)
    assert time.monotonic() - killed < 10
    assert call["status"] == "failed" and call["ended_reason"] == "gateway_lost"
    assert [row for row in call["transcripts"] if row["speaker"] == "user"]
    assert served.ended(served.dial(SHORT))["status"] == "completed"
