"""The recording of the demo's call: the callee on the left, the agent on the right, each as the transcript and the script say."""
import os
import wave

import pytest

import speech_program as sp
import spoken_words
from conftest import ROOT

pytestmark = pytest.mark.skipif(not (ROOT / "build" / "models.env").exists(),
                                reason="the local models are not set up (tools/setup models)")

MARGIN_MS = 350  # the way to the phone and back, and soft beginnings
JOIN_MS = 1500   # parts of one answer


@pytest.fixture(scope="module")
def speech():
    program = sp.Speech()
    yield program
    assert program.stop() == 0


@pytest.fixture(scope="module")
def channels(demo):
    """(callee, agent): 16-bit samples at 8 kHz."""
    path = demo["recording"]
    with wave.open(path if os.path.isabs(path) else str(demo["folder"] / path)) as recording:
        assert (recording.getnchannels(), recording.getsampwidth(), recording.getframerate()) == (2, 2, 8000)
        raw = memoryview(recording.readframes(recording.getnframes())).cast("h")
    return list(raw[0::2]), list(raw[1::2])


def cut(demo, samples, start_ms, end_ms):
    """A stretch by the phone's clock; the recording begins with the stream."""
    origin = demo["phone"]["stream_ms"]
    first = max(0, int(start_ms - origin - MARGIN_MS)) * 8
    return samples[first:max(first, int(end_ms - origin + MARGIN_MS) * 8)]


def heard(speech, samples):
    status, answer = speech.hear(sp.wav(samples))
    assert status == 200
    return answer["text"]


def test_the_callee_is_on_the_left_as_in_the_script(demo, speech, channels):
    # What was said before the stream began was never sent.
    lines = [said for said in demo["phone"]["callee"]
             if said["kind"] in ("say", "interrupt") and said["start_ms"] > demo["phone"]["stream_ms"]]
    texts = [heard(speech, cut(demo, channels[0], said["start_ms"], said["end_ms"])) for said in lines]
    script = " ".join(said["text"] for said in lines)
    rate = spoken_words.error_rate(script, " ".join(texts))
    print(f"callee: {len(lines)} lines, word error {rate:.3f}")
    assert len(lines) >= 6 and rate <= 0.2, list(zip(lines, texts))


def test_the_agent_is_on_the_right_as_in_the_transcript(demo, speech, channels):
    spans = []
    for part in demo["phone"]["agent"]:
        if spans and part["start_ms"] - spans[-1][1] < JOIN_MS:
            spans[-1][1] = part["end_ms"]
        else:
            spans.append([part["start_ms"], part["end_ms"]])
    texts = [heard(speech, cut(demo, channels[1], *span)) for span in spans]
    said = " ".join(row["text"] for row in demo["transcript"] if row["speaker"] == "ai")
    rate = spoken_words.error_rate(said, " ".join(texts))
    print(f"agent: {len(spans)} stretches, word error {rate:.3f}")
    assert rate <= 0.2, (said, texts)
