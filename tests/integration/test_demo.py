"""The demo with the real models: what `make demo` shows must hold. One call for all the tests, about a minute and a half."""
import json
import os
import subprocess
import wave

import pytest

from conftest import RELAYX, ROOT, clean_environment

pytestmark = pytest.mark.skipif(not (ROOT / "build" / "models.env").exists(),
                                reason="the local models are not set up (tools/setup models)")


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    done = subprocess.run([str(RELAYX), "demo", "--exit", "--json", "--data", "d"], cwd=folder, timeout=400,
                          env=clean_environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    report = json.loads(done.stdout)
    report["folder"] = folder
    return report


def turn(demo, part):
    return next(t for t in demo["turns"] if part in t["callee"])


def test_the_call_ends_by_itself_with_every_turn_answered(demo):
    assert demo["status"] == "completed" and len(demo["turns"]) >= 5
    assert all(t["agent"] for t in demo["turns"])
    assert demo["phone"]["ended_by"] in ("agent", "rest") and not demo["phone"]["errors"]


@pytest.mark.parametrize("part, fact", [
    ("sending a plumber", "eighty-nine dollars"),
    ("Which areas", "twenty miles"),
    ("cancel the appointment", "twenty-four hours"),
    ("guarantee", "two years"),
])
def test_answers_hold_the_facts(demo, part, fact):
    assert turn(demo, part)["source"] == "answer" and fact in turn(demo, part)["agent"]


def test_small_talk_goes_to_the_model(demo):
    assert turn(demo, "How are you")["source"] == "llm"


def test_an_interrupted_answer_holds_only_what_was_heard(demo):
    cut = turn(demo, "What days")
    assert cut["interrupted"] and "Monday" in cut["agent"] and "Sunday" not in cut["agent"]


def test_a_backchannel_does_not_interrupt(demo):
    answer = turn(demo, "sending a plumber")
    assert not answer["interrupted"] and answer["agent"].endswith("half hour of work.")
    assert not any("hmm" in row["text"].lower() for row in demo["transcript"] if row["speaker"] == "user")
    at = next(said for said in demo["phone"]["callee"] if said["kind"] == "mmhm")["start_ms"]
    parts = demo["phone"]["agent"]
    gaps = [b["start_ms"] - a["end_ms"] for a, b in zip(parts, parts[1:])
            if at - 1000 < a["end_ms"] < at + 2000 and b["start_ms"] < at + 3000]
    assert all(gap <= 900 for gap in gaps)


def test_the_recording_is_stereo_and_as_long_as_the_call(demo):
    path = demo["recording"]
    with wave.open(path if os.path.isabs(path) else str(demo["folder"] / path)) as recording:
        assert recording.getnchannels() == 2
        seconds = recording.getnframes() / recording.getframerate()
    assert seconds > 30


def test_an_analysis_was_made(demo):
    assert demo["analysis"]["status"] == "completed" and demo["analysis"]["summary"]
