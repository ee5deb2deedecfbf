"""Starts relayx-speech, and the audio that its tests need. Standard library only."""

import http.client
import json
import math
import os
import pathlib
import random
import re
import struct
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("RELAYX_SPEECH_PROGRAM", str(ROOT / "build" / "relayx-speech"))
BOUNDARY = "----relayx-test-boundary"


class Speech:
    """The program on a free port."""

    def __init__(self, *flags):
        self.process = subprocess.Popen([PROGRAM, "--port", "0", *flags], stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("ready "):
            raise RuntimeError("relayx-speech did not start: %r" % line)
        self.port = int(line.rsplit(":", 1)[1])

    def stop(self):
        self.process.terminate()
        return self.process.wait(timeout=20)

    def request(self, method, path, body=None, headers=None, timeout=60):
        """(status, headers, body)"""
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            c.request(method, path, body, headers or {})
            answer = c.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            c.close()

    def get(self, path):
        status, _, body = self.request("GET", path)
        return status, json.loads(body)

    def say(self, text, **fields):
        """(status, headers, body) of a speech request."""
        body = json.dumps({"model": "any", "voice": "any", "input": text, **fields})
        return self.request("POST", "/v1/audio/speech", body, {"Content-Type": "application/json"})

    def hear(self, file, **fields):
        """(status, parsed body) of a transcription; file None leaves it out."""
        body, headers = multipart(file, fields)
        status, _, answer = self.request("POST", "/v1/audio/transcriptions", body, headers)
        try:
            return status, json.loads(answer)
        except ValueError:
            return status, answer.decode()


def multipart(file, fields):
    parts = ['--%s\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (BOUNDARY, k, v)
             for k, v in fields.items()]
    body = "".join(parts).encode()
    if file is not None:
        body += ('--%s\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n'
                 "Content-Type: audio/wav\r\n\r\n" % BOUNDARY).encode() + file + b"\r\n"
    body += ("--%s--\r\n" % BOUNDARY).encode()
    return body, {"Content-Type": "multipart/form-data; boundary=" + BOUNDARY}


# ---- audio: lists of 16-bit samples at 8 kHz ----

def decode_ulaw_byte(code):
    u = ~code & 0xFF
    magnitude = ((((u & 0x0F) << 3) + 0x84) << ((u & 0x70) >> 4)) - 0x84
    return -magnitude if u & 0x80 else magnitude


ULAW = [decode_ulaw_byte(c) for c in range(256)]


def from_ulaw(data):
    return [ULAW[b] for b in data]


def wav(samples, rate=8000, channels=1):
    data = struct.pack("<%dh" % len(samples), *(max(-32768, min(32767, round(x))) for x in samples))
    return wav_header(1, 16, rate, channels, len(data)) + data


def wav_ulaw(data, rate=8000):
    return wav_header(7, 8, rate, 1, len(data)) + data


def wav_header(tag, bits, rate, channels, size):
    frame = channels * bits // 8
    return (b"RIFF" + struct.pack("<I", 36 + size) + b"WAVEfmt " +
            struct.pack("<IHHIIHH", 16, tag, channels, rate, rate * frame, frame, bits) +
            b"data" + struct.pack("<I", size))


def silence(ms):
    return [0] * (ms * 8)


def noise(ms, level, rng):
    return [rng.gauss(0, level) for _ in range(ms * 8)]


def with_noise(samples, snr_db, rng):
    """White noise below the level of the loud parts."""
    peak = max(abs(x) for x in samples)
    loud = [x * x for x in samples if abs(x) > peak / 10]
    level = math.sqrt(sum(loud) / len(loud) / 10 ** (snr_db / 10))
    return [x + rng.gauss(0, level) for x in samples]


def cough(rng):
    """One to three bursts of noise that die away."""
    out = silence(2000)
    for _ in range(rng.randint(1, 3)):
        at, level = rng.randrange(len(out) - 3200), rng.uniform(2000, 8000)
        smooth = rng.uniform(0.2, 0.7)
        y = 0.0
        for i in range(3200):
            y = smooth * y + (1 - smooth) * rng.gauss(0, level)
            out[at + i] += y * min(i / 80, 1) * math.exp(-i / 640)
    return out


def clicks(rng):
    out = silence(1500)
    for _ in range(rng.randint(1, 5)):
        at, level = rng.randrange(len(out) - 200), rng.uniform(2000, 10000)
        for i in range(rng.randint(8, 200)):
            out[at + i] += rng.gauss(0, level)
    return out


def words(text):
    return re.sub(r"[^a-z0-9' ]", " ", text.lower()).replace("'", "").split()


def word_error_rate(reference, heard):
    r, h = words(reference), words(heard)
    row = list(range(len(h) + 1))
    for i, a in enumerate(r, 1):
        new = [i]
        for j, b in enumerate(h, 1):
            new.append(min(row[j] + 1, new[-1] + 1, row[j - 1] + (a != b)))
        row = new
    return row[-1] / len(r)


def rng(seed):
    return random.Random(seed)
