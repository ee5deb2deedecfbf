"""Whole calls through every role, with the phone simulator and a provider that answers the same thing always."""
import os
import signal
import time
import wave

import pytest

from conftest import free_port, request, wait_for
from providers import Stub

FINAL = ("completed", "failed", "busy", "no-answer", "canceled")
QUESTION = "kind\nanswer after 100\nsay Hello?\nwait\nsay What does it cost?\nwait\n"


class System:
    """relayx serve with a user and an agent."""

    def __init__(self, start, stub):
        ports = {name: free_port() for name in ("api", "gateway", "phone")}
        self.program = start("serve", "--data", "d", "--no-local", "--openai-base-url", stub.url,
                             *[f"--{name}-port={port}" for name, port in ports.items()])
        addresses = self.program.ready()
        self.api, self.gateway, self.phone = (addresses[k] for k in ("api", "gateway", "phone"))
        login = {"email": "t@example.com", "password": "secret-1"}
        assert request("POST", self.api + "/auth/signup", login)[0] == 201
        self.token = request("POST", self.api + "/auth/login", login)[1]["access_token"]
        self.agent = self.ask("POST", "/agents", {"name": "Tess", "prompt_text": "Be brief."})["id"]

    def ask(self, method, path, body=None):
        status, answer = request(method, self.api + path, body, self.token)
        assert status < 300, (status, answer)
        return answer

    def callee(self, script, number="+12025550123"):
        status, answer = request("POST", self.phone + "/sim/callees", {"number": number, "script": script})
        assert status == 201, answer

    def dial(self, number="+12025550123", **more):
        return self.ask("POST", "/calls/outbound",
                        {"agent_id": self.agent, "phone_number": number, **more})["call_id"]

    def call(self, call_id):
        return self.ask("GET", f"/calls/{call_id}")

    def wait_until(self, call_id, condition, seconds=60, what="the call"):
        def check():
            call = self.call(call_id)
            return call if condition(call) else None
        return wait_for(check, seconds, 0.1, what)

    def wait_end(self, call_id, seconds=60):
        return self.wait_until(call_id, lambda call: call["status"] in FINAL, seconds, "the end of the call")


@pytest.fixture
def stub():
    made = Stub()
    yield made
    made.close()


@pytest.fixture
def system(start, stub):
    made = System(start, stub)
    yield made
    assert made.program.stop() == 0


def said(call, speaker):
    return [row["text"] for row in call["transcripts"] if row["speaker"] == speaker]


def test_a_whole_call(system, tmp_path):
    system.callee(QUESTION + "hangup\n")
    call_id = system.dial()
    call = system.wait_end(call_id)
    assert call["status"] == "completed" and call["duration"] > 0
    assert said(call, "ai")[0].startswith("Hello, this is Tess")
    assert any("five dollars" in text for text in said(call, "ai"))
    assert "What does it cost?" in said(call, "user")
    with wave.open(str(tmp_path / call["recording"] if not os.path.isabs(call["recording"])
                       else call["recording"])) as recording:
        assert recording.getnchannels() == 2 and recording.getframerate() == 8000
        assert recording.getnframes() > 8000
    report = request("GET", f"{system.phone}/sim/calls/{call['twilio_sid']}")[1]
    assert not report["errors"] and report["turns"][-1]["first_audio_ms"] is not None

    def analysis():
        answer = request("GET", f"{system.api}/calls/{call_id}/analysis", token=system.token)
        return answer[0] == 200 and answer[1]
    assert wait_for(analysis, 30, what="the analysis")["status"] in ("completed", "failed")


def test_a_killed_gateway_loses_its_call_and_nothing_else(system):
    system.callee(QUESTION + "silence 30\nend\n")
    call_id = system.dial()
    system.wait_until(call_id, lambda call: any("five dollars" in text for text in said(call, "ai")))
    killed = time.monotonic()
    os.kill(system.program.child("gateway"), signal.SIGKILL)
    call = system.wait_end(call_id, 15)
    assert time.monotonic() - killed < 10
    assert call["status"] == "failed"
    assert "What does it cost?" in said(call, "user")
    system.callee(QUESTION + "hangup\n")
    assert system.wait_end(system.dial())["status"] == "completed"


def test_hang_up_by_the_api(system):
    system.callee(QUESTION + "silence 30\nend\n")
    call_id = system.dial()
    system.wait_until(call_id, lambda call: call["status"] == "in-progress" and said(call, "ai"))
    status, answer = request("POST", f"{system.api}/calls/{call_id}/hangup", {}, system.token)
    assert status in (200, 202), answer
    assert system.wait_end(call_id, 15)["status"] == "completed"


@pytest.mark.parametrize("script, status", [("busy", "busy"), ("no-answer after 200", "no-answer"), ("fail", "failed")])
def test_calls_that_are_not_answered(system, script, status):
    system.callee(script + "\n")
    call = system.wait_end(system.dial())
    assert call["status"] == status and not call["transcripts"]


def test_a_language_model_that_fails_ends_the_call_politely(system, stub):
    stub.llm_status = 500
    system.callee(QUESTION + "end 40\n")
    call = system.wait_end(system.dial())
    assert call["status"] == "failed" and "provider" in call["ended_reason"]
    assert len(said(call, "ai")) >= 2  # the greeting, and an apology
    report = request("GET", f"{system.phone}/sim/calls/{call['twilio_sid']}")[1]
    assert report["ended_by"] in ("agent", "rest")


def test_a_refusal_by_the_carrier_is_told(start, stub, tmp_path):
    ports = {name: free_port() for name in ("api", "gateway", "phone")}
    program = start("serve", "--data", "d", "--no-local", "--openai-base-url", stub.url, "--simulator",
                    "--twilio-phone-number", "12", *[f"--{n}-port={p}" for n, p in ports.items()])
    api = program.ready()["api"]
    login = {"email": "t@example.com", "password": "secret-1"}
    request("POST", api + "/auth/signup", login)
    token = request("POST", api + "/auth/login", login)[1]["access_token"]
    agent = request("POST", api + "/agents", {"name": "T", "prompt_text": "x"}, token)[1]["id"]
    status, answer = request("POST", api + "/calls/outbound",
                             {"agent_id": agent, "phone_number": "+12025550123"}, token)
    assert status == 502 and "TWILIO_PHONE_NUMBER" in answer["detail"], answer
    assert program.stop() == 0
