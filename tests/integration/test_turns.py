"""Which sounds become turns: isolated words do, noise does not. The sounds go through G.711, voice detection and the conversation with
its default settings (rlx-turns, in simulated time) and are transcribed by the real relayx-speech, whose time counts. About four minutes."""
import json
import pathlib
import subprocess

import pytest

import speech_program as sp
import turns_corpus as corpus
from conftest import RELAYX, ROOT, clean_environment

pytestmark = pytest.mark.skipif(not (ROOT / "build" / "models.env").exists(),
                                reason="the local models are not set up (tools/setup models)")

PROGRAM = RELAYX.resolve().parent / "rlx-turns"


@pytest.fixture(scope="module")
def speech():
    program = sp.Speech()
    yield program
    assert program.stop() == 0


def replay(speech, files, *flags):
    """rlx-turns' report of each file."""
    done = subprocess.run([str(PROGRAM), "--stt", f"http://127.0.0.1:{speech.port}/v1", *flags, "-"],
                          input="\n".join(map(str, files)), env=clean_environment(), timeout=1200,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def spoken(speech, text, **fields):
    status, _, body = speech.say(text, response_format="mulaw", **fields)
    assert status == 200
    return [float(x) for x in sp.from_ulaw(body)]


@pytest.fixture(scope="module")
def words(speech, tmp_path_factory):
    """{(word, speed, ending, noise): report}"""
    folder, rng, files = tmp_path_factory.mktemp("words"), sp.rng(11), {}
    room = corpus.babble([spoken(speech, text) for text in corpus.BABBLE], rng)
    for word in corpus.WORDS:
        for speed in corpus.SPEEDS:
            for ending in corpus.ENDINGS:
                said = spoken(speech, (word.upper() if word == "ok" else word.capitalize()) + ending, speed=speed)
                for noise in corpus.NOISES + (corpus.CROWD,) * (ending == "."):
                    path = folder / f"{len(files)}.wav"
                    path.write_bytes(sp.wav(corpus.in_noise(said, noise, room, rng)))
                    files[word, speed, ending, noise] = path
    reports = replay(speech, files.values(), "--lead", str(corpus.BEFORE_MS))
    return dict(zip(files, reports, strict=True))


@pytest.mark.timeout(1500)
def test_isolated_words_become_a_turn(words):
    lost, counts = [], {}
    for key, report in words.items():
        good, total = counts.get(key[3], (0, 0))
        counts[key[3]] = good + (len(report["turns"]) == 1), total + 1
        if len(report["turns"]) != 1:
            lost.append((key, report))
    print("one turn of:", ", ".join(f"{noise} {good}/{total}" for noise, (good, total) in counts.items()))
    strict = {noise: c for noise, c in counts.items() if noise != corpus.CROWD}
    assert sum(total for _, total in strict.values()) >= 108
    assert sum(good for good, _ in strict.values()) >= 0.98 * sum(total for _, total in strict.values()), lost
    # Babble is speech: what it says may be taken for the callee's words. The word must not be lost in it often.
    heard = sum(bool(report["turns"]) for key, report in words.items() if key[3] == corpus.CROWD)
    print("any turn in babble:", heard)
    assert heard >= 0.6 * counts[corpus.CROWD][1], lost


@pytest.mark.timeout(1500)
def test_ten_minutes_of_noise_are_hardly_ever_a_turn(speech, tmp_path):
    path = tmp_path / "noise.wav"
    path.write_bytes(sp.wav(corpus.noise_minutes(12, seed=21)))
    report, = replay(speech, [path])
    print(report)
    assert report["listened_ms"] >= 600_000
    assert len(report["turns"]) <= 1, report["turns"]
    assert report["llm"] <= 1
