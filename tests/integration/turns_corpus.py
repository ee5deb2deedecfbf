"""The sounds of test_turns.py: isolated words in noise, and ten minutes of noise without words. Fixed seeds; standard library only.
Samples are lists of numbers at 8 kHz, full scale 32768."""

import math

import speech_program as sp

RATE = 8000
FULL = 32768.0
WORDS = ("yes", "no", "ok", "yeah", "sure", "hello")
SPEEDS = (0.8, 1.0, 1.25)
ENDINGS = (".", "!", "?")  # three intonations of each word
NOISES = ("clean", "line", "white", "pink")  # clean: digital silence; line: -60 dBFS; the others at 15 dB SNR
CROWD = "babble"  # the same SNR, but the noise is speech itself
BABBLE = ("The weather will be fine until the weekend, they say.", "I put the keys on the table next to the door.",
          "Did you see the game last night? It went on for hours.", "She works at the bank around the corner now.",
          "We could take the train in the morning instead.", "My brother wants to sell his old car this year.")
BEFORE_MS, AFTER_MS = 1500, 2000


def rms(samples):
    return math.sqrt(sum(x * x for x in samples) / max(1, len(samples)))


def active_rms(samples, frame=160):
    """Level of the loud frames: those within 25 dB of the loudest."""
    levels = [rms(samples[i:i + frame]) for i in range(0, len(samples) - frame + 1, frame)]
    loud = [x * x for x in levels if x > max(levels) / 18]
    return math.sqrt(sum(loud) / len(loud))


def scaled(samples, level):
    now = rms(samples)
    return [x * level / now for x in samples] if now else samples


def db(level_db):
    return FULL * 10 ** (level_db / 20)


def white(count, rng):
    return [rng.gauss(0, 1) for _ in range(count)]


def pink(count, rng):
    """Paul Kellet's filter of white noise."""
    out, b0, b1, b2 = [], 0.0, 0.0, 0.0
    for _ in range(count):
        w = rng.gauss(0, 1)
        b0 = 0.99765 * b0 + w * 0.0990460
        b1 = 0.96300 * b1 + w * 0.2965164
        b2 = 0.57000 * b2 + w * 1.0526913
        out.append(b0 + b1 + b2 + w * 0.1848)
    return out


def band(samples, low_hz, high_hz):
    """One pole each: a soft band."""
    a, b = math.exp(-2 * math.pi * high_hz / RATE), math.exp(-2 * math.pi * low_hz / RATE)
    low, slow, out = 0.0, 0.0, []
    for x in samples:
        low = a * low + (1 - a) * x
        slow = b * slow + (1 - b) * low
        out.append(low - slow)
    return out


def babble(voices, rng, seconds=12):
    """Many at once, as in a full room."""
    count = seconds * RATE
    out = [0.0] * count
    for voice in voices * 8:
        at = rng.randrange(count)
        gain = rng.uniform(0.6, 1.0)
        for i, x in enumerate(voice):
            out[(at + i) % count] += gain * x
    return out


def in_noise(word, kind, room, rng):
    """The word with its noise around it; 15 dB between the word's active level and the noise's."""
    before, after = BEFORE_MS * 8, AFTER_MS * 8
    count = before + len(word) + after
    if kind == "clean":
        noise = [0.0] * count
    elif kind == "line":
        noise = scaled(white(count, rng), db(-60))
    elif kind == "babble":
        at = rng.randrange(len(room))
        noise = scaled([room[(at + i) % len(room)] for i in range(count)], active_rms(word) / 10 ** (15 / 20))
    else:
        noise = scaled({"white": white, "pink": pink}[kind](count, rng), active_rms(word) / 10 ** (15 / 20))
    for i, x in enumerate(word):
        noise[before + i] += x
    return noise


# ---- sounds without words: each gives samples of one event ----

def envelope(samples, attack_ms, decay_ms):
    return [x * min(i / (attack_ms * 8), 1) * math.exp(-max(0, i - attack_ms * 8) / (decay_ms * 8))
            for i, x in enumerate(samples)]


def cough(rng):
    out = []
    for _ in range(rng.randint(1, 4)):
        burst = band(white(rng.randint(1600, 3600), rng), rng.uniform(200, 500), rng.uniform(900, 2500))
        out += scaled(envelope(burst, rng.uniform(4, 15), rng.uniform(50, 110)), db(rng.uniform(-32, -18)))
        out += [0.0] * rng.randint(400, 2400)
    return out


def throat(rng):
    """A rough voiced sound: pulses of falling, shaking pitch through two resonances."""
    count, phase, pulses = rng.randint(2400, 5600), 0.0, []
    pitch = rng.uniform(70, 130)
    for i in range(count):
        phase += pitch * (1 - 0.2 * i / count) * rng.uniform(0.75, 1.25) / RATE
        pulse = phase >= 1
        phase -= pulse
        pulses.append(40.0 * pulse + rng.gauss(0, 1.5))
    shaped = band(pulses, 250, 700)
    return scaled(envelope(shaped, 30, 250), db(rng.uniform(-36, -24)))


def click(rng):
    out = []
    for _ in range(rng.randint(1, 5)):
        out += scaled(envelope(white(rng.randint(16, 240), rng), 0.5, rng.uniform(1, 10)), db(rng.uniform(-24, -8)))
        out += [0.0] * rng.randint(160, 3000)
    return out


def slam(rng):
    thud = band(white(4800, rng), 40, rng.uniform(150, 400))
    return scaled(envelope(thud, 2, rng.uniform(60, 180)), db(rng.uniform(-26, -14)))


def keyboard(rng):
    out = []
    for _ in range(rng.randint(6, 25)):
        key = envelope(white(240, rng), 0.3, rng.uniform(2, 6))
        out += scaled(key, db(rng.uniform(-38, -24))) + [0.0] * rng.randint(500, 2000)
    return out


def breath(rng):
    count = rng.randint(4000, 12000)
    air = band(white(count, rng), 400, 1800)
    return scaled([x * math.sin(math.pi * i / count) for i, x in enumerate(air)], db(rng.uniform(-42, -28)))


def rustle(rng):
    count, gain, out = rng.randint(4000, 16000), 0.0, []
    for i in range(count):
        if i % 200 == 0:
            gain = rng.random() ** 3
        out.append(gain * rng.gauss(0, 1))
    return scaled(band(out, 600, 3000), db(rng.uniform(-38, -26)))


def hum(rng):
    count, base = rng.randint(8000, 32000), rng.choice((50, 60, 100, 120))
    tone = [sum(math.sin(2 * math.pi * base * k * i / RATE) / k for k in (1, 2, 3, 5, 7)) for i in range(count)]
    return scaled(tone, db(rng.uniform(-45, -30)))


def tones(rng):
    """Beeps and a simple tune."""
    out, steps = [], (0, 2, 4, 5, 7, 9, 11, 12)
    base = rng.uniform(300, 700)
    for _ in range(rng.randint(1, 8)):
        f, count = base * 2 ** (rng.choice(steps) / 12), rng.randint(800, 3200)
        note = [math.sin(2 * math.pi * f * i / RATE) + 0.4 * math.sin(4 * math.pi * f * i / RATE) for i in range(count)]
        out += scaled(envelope(note, 10, 150), db(rng.uniform(-32, -22))) + [0.0] * rng.randint(0, 800)
    return out


def ring(rng):
    count = rng.randint(8000, 16000)
    tone = [math.sin(2 * math.pi * 440 * i / RATE) + math.sin(2 * math.pi * 480 * i / RATE) for i in range(count)]
    return scaled(tone, db(rng.uniform(-36, -26)))


def gust(rng):
    """Wind, a passing car: noise that swells."""
    count = rng.randint(16000, 40000)
    air = band(pink(count, rng), 60, rng.uniform(300, 1500))
    return scaled([x * math.sin(math.pi * i / count) ** 2 for i, x in enumerate(air)], db(rng.uniform(-38, -24)))


def crackle(rng):
    out = [0.0] * rng.randint(4000, 12000)
    for _ in range(rng.randint(10, 60)):
        at = rng.randrange(len(out) - 80)
        level = db(rng.uniform(-30, -12))
        for i in range(rng.randint(2, 60)):
            out[at + i] += rng.gauss(0, level)
    return out


EVENTS = (cough, cough, cough, throat, click, click, slam, keyboard, breath, rustle, hum, tones, ring, gust, crackle)
ROOMS = ((white, -62), (white, -50), (pink, -48), (pink, -56))  # the noise under the events, one a part


def noise_minutes(minutes, seed):
    """Events in random order, 0.3-3 s apart, over a noise that changes from part to part."""
    rng, out = sp.rng(seed), []
    part = minutes * 60 * RATE // len(ROOMS)
    for make, level_db in ROOMS:
        room = scaled(make(part, rng), db(level_db))
        at = RATE // 2
        while True:
            event = rng.choice(EVENTS)(rng)
            if at + len(event) >= part:
                break
            for i, x in enumerate(event):
                room[at + i] += x
            at += len(event) + rng.randint(2400, 24000)
        out += room
    return out
