"""The demo with the real models: what `make demo` shows must hold. One call for most of the tests, and one of another business."""
import os
import wave

import pytest

from conftest import ROOT, run_demo

pytestmark = pytest.mark.skipif(not (ROOT / "build" / "models.env").exists(),
                                reason="the local models are not set up (tools/setup models)")


def turn(demo, part):
    return next(t for t in demo["turns"] if part in t["callee"])


def test_the_call_ends_by_itself_with_every_turn_answered(demo):
    assert demo["status"] == "completed" and len(demo["turns"]) >= 5
    assert all(t["agent"] for t in demo["turns"])
    assert demo["phone"]["ended_by"] in ("agent", "rest") and not demo["phone"]["errors"]
    assert "goodbye" in [row["text"].lower() for row in demo["transcript"] if row["speaker"] == "ai"][-1]


def test_the_report_is_complete(demo):
    assert {"status", "call_id", "median_first_audio_ms", "turns", "transcript", "analysis", "recording"} <= demo.keys()
    for one in demo["turns"]:
        assert {"callee", "agent", "source", "first_audio_ms", "stt_ms", "llm_ms", "tts_ms", "interrupted"} <= one.keys()
    times = [one["first_audio_ms"] for one in demo["turns"] if one["first_audio_ms"] is not None]
    print("first audio: median", demo["median_first_audio_ms"], "p95", demo["p95_first_audio_ms"], "of", sorted(times))
    assert len(times) >= 5
    # The machine may be busy with other tests: bench/run measures, this only finds what is broken.
    assert demo["median_first_audio_ms"] < 4000


FACTS = {
    "plumber": "eighty-nine dollars",
    "areas": "twenty miles",
    "cancel": "twenty-four hours",
    "guarantee": "two years",
}


def test_answers_hold_the_facts(demo):
    """The recogniser hears a line wrong now and then, and then the model may have to answer: one of the four may be lost."""
    told = {part: turn(demo, part) for part in FACTS}
    right = [part for part, fact in FACTS.items() if told[part]["source"] == "answer" and fact in told[part]["agent"]]
    print("facts told:", right)
    assert len(right) >= 3, [told[part] for part in FACTS if part not in right]


def test_small_talk_goes_to_the_model(demo):
    assert turn(demo, "How are you")["source"] == "llm"


def test_an_interrupted_answer_holds_only_what_was_heard(demo):
    cut = turn(demo, "What days")
    assert cut["interrupted"] and "Sunday" not in cut["agent"]
    assert cut["source"] == "llm" or "Monday" in cut["agent"]
    row = next(r for r in demo["transcript"] if r["speaker"] == "ai" and r["metadata"].get("interrupted"))
    assert row["text"] == cut["agent"]


def test_a_backchannel_does_not_interrupt(demo):
    answer = turn(demo, "plumber")
    assert not answer["interrupted"]
    heard = [row["text"] for row in demo["transcript"] if row["speaker"] == "user"]
    assert len(heard) == len(demo["turns"]), heard  # none of the callee's rows is the "mm-hm"
    at = next(said for said in demo["phone"]["callee"] if said["kind"] == "mmhm")["start_ms"]
    parts = demo["phone"]["agent"]
    gaps = [b["start_ms"] - a["end_ms"] for a, b in zip(parts, parts[1:])
            if at - 1000 < a["end_ms"] < at + 2000 and b["start_ms"] < at + 3000]
    assert all(gap <= 900 for gap in gaps)
    if answer["source"] == "answer":  # heard to its end
        assert answer["agent"].endswith("half hour of work.")
        row = next(r for r in demo["transcript"] if r["speaker"] == "ai" and "eighty-nine" in r["text"])
        assert not row["metadata"].get("interrupted")


def test_the_recording_is_stereo_and_as_long_as_the_call(demo):
    path = demo["recording"]
    with wave.open(path if os.path.isabs(path) else str(demo["folder"] / path)) as recording:
        assert recording.getnchannels() == 2
        seconds = recording.getnframes() / recording.getframerate()
    assert seconds > 30


def test_an_analysis_was_made(demo):
    assert demo["analysis"]["status"] == "completed" and demo["analysis"]["summary"]


# ---- a business that the program has never heard of ----

OTHER = ROOT / "tests" / "fixtures" / "demo"


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    return run_demo(tmp_path_factory.mktemp("other"), "--script", OTHER / "bakery_callee.txt",
                    "--knowledge", OTHER / "bakery_knowledge.json")


def test_another_business_is_answered(other):
    assert other["status"] == "completed" and len(other["turns"]) >= 5
    assert other["phone"]["ended_by"] in ("agent", "rest")
    facts = {"How many days": "three days", "gluten": "Thursday", "bring the cake": "fifteen dollars", "take back": "half"}
    found = [part for part, fact in facts.items() if fact in turn(other, part)["agent"]]
    found += ["birthday cake"] * ("thirty-five dollars" in turn(other, "birthday cake")["agent"])
    print("facts heard:", found)
    # What the recogniser hears wrong goes to the model, which seldom says the fact.
    assert len(found) >= 3, other["turns"]
    assert any(one["source"] == "llm" for one in other["turns"])


def test_another_business_is_interrupted(other):
    cut = turn(other, "make a birthday cake")
    assert cut["interrupted"] and "candles" not in cut["agent"], cut
    assert cut["source"] == "llm" or "thirty-five" in cut["agent"], cut
    assert not turn(other, "bring the cake")["interrupted"]
    assert not any("hmm" in row["text"].lower() for row in other["transcript"] if row["speaker"] == "user")
