"""The little of audio that the doubles need (the standard library's audioop is gone from newer Pythons)."""

import math
import struct


def tone(rate_hz, seconds, frequency_hz=300, amplitude=8000):
    """16-bit little-endian PCM."""
    count = int(rate_hz * seconds)
    step = 2 * math.pi * frequency_hz / rate_hz
    return struct.pack(f"<{count}h", *(int(amplitude * math.sin(step * i)) for i in range(count)))


def ulaw_sample(byte):
    """ITU-T G.711 µ-law expansion."""
    byte = ~byte & 0xFF
    magnitude = (((byte & 0x0F) << 3) + 0x84) << (byte >> 4 & 7)
    return -(magnitude - 0x84) if byte & 0x80 else magnitude - 0x84


LEVEL = [ulaw_sample(b) ** 2 for b in range(256)]


def loud(ulaw, threshold_dbfs=-45):
    """True when a sample of the frame is above the threshold."""
    return max((LEVEL[b] for b in ulaw), default=0) > (32768 * 10 ** (threshold_dbfs / 20)) ** 2
