"""What a spoken answer sounds like at the phone: no holes in it. The phone's own report judges, providers answer at fixed times."""
import math

import pytest

from conftest import request
from doubles import Carrier, Loop, Providers
from providers import Stub
from roles import Roles
from test_calls import QUESTION, System
from test_reliability import finished, said, speech

PIECE = "It costs five dollars and includes everything that you could possibly need for the whole week"
ANSWERS = {
    "one": PIECE + ".",
    "many": "It costs five dollars. It includes breakfast and dinner. You can pay by card or in cash. "
            "Children are free of charge. We are open every day of the week. Would you like to book it?",
}


@pytest.fixture
def stub():
    made = Stub()
    yield made
    made.close()


@pytest.mark.parametrize("kind", ["one", "many"])
def test_no_holes_in_an_answer(start, stub, kind):
    """350 ms between pieces at most (longer quiet would split the phone's segment), 60 ms inside one."""
    stub.reply = ANSWERS[kind]
    system = System(start, stub)
    system.callee(QUESTION + "hangup\n")
    call_id = system.dial()
    call = system.wait_end(call_id)
    answer = next(row for row in call["transcripts"] if row["speaker"] == "ai" and "five dollars" in row["text"])
    assert not answer["metadata"]["interrupted"]
    sid = request("GET", system.phone + "/sim/calls")[1]["calls"][0]["sid"]
    report = request("GET", f"{system.phone}/sim/calls/{sid}")[1]
    turn = next(turn for turn in report["turns"] if "cost" in turn["callee"])
    parts = [part for part in report["agent"] if part["start_ms"] == turn["agent_start_ms"]]
    length = parts[0]["end_ms"] - parts[0]["start_ms"]
    whole = 60 * len(stub.reply)  # what the double speaks, with silence at its edges trimmed
    assert length > 0.85 * whole, (length, whole, report["agent"])
    assert parts[0]["longest_gap_ms"] <= (60 if kind == "one" else 350), report["agent"]
    assert report["media"]["starved_ms"] <= 60, report["media"]
    assert system.program.stop() == 0


def tone(hz, ms):
    """µ-law (G.711: sign, exponent, mantissa of the sample plus 132)."""
    def encode(sample):
        size = min(abs(sample), 32635) + 132
        exponent = size.bit_length() - 8
        return ~((0x80 if sample < 0 else 0) | exponent << 4 | size >> (exponent + 3) & 15) & 0xff
    return bytes(encode(int(9000 * math.sin(2 * math.pi * hz * i / 8000))) for i in range(8 * ms))


def test_a_machines_beep_starts_the_message(tmp_path):
    """The carrier says nothing: the beep alone tells that nobody is there, and that the tape runs."""
    loop = Loop()
    providers, carrier = Providers(loop), Carrier(loop)
    roles = Roles(tmp_path, providers, carrier)
    providers.heard = ["You have reached the Miller family. Please leave a message."]
    seen = {}

    async def callee(line):
        await line.say(speech("interrupt"))
        await line.say(tone(1400, 500))
        beeped = line.last_voice
        await line.listen(8, lambda: line.first_audio_after(beeped))
        seen["after"] = (line.first_audio_after(beeped) or 99) - beeped
        await line.listen(12)

    carrier.callee = callee
    try:
        roles.start_all()
        body = roles.dial(roles.agent(voicemail_policy="leave_message",
                                      voicemail_message="Please call Northwind back."))
        finished(loop, carrier, body)
        call = roles.ended(body["call_id"])
    finally:
        roles.stop()
        loop.close()
    assert call["ended_reason"] == "voicemail" and "Please call Northwind back." in said(call, "ai"), call
    assert seen["after"] < 0.8, seen
