#!/usr/bin/env python3
"""RelayX's own share of a turn: first agent audio at the phone, minus the last voiced sample (above -45 dBFS) that the phone sent,
minus the silence that the agent is set to wait, minus what the providers took (measured in the providers, to their first byte).

Roles by themselves, a carrier and providers of another hand (tests/integration/doubles.py), speculation off. The baseline in the
same run is the providers' own time: `ratio` is own share / providers' time."""

import argparse
import asyncio
import json
import pathlib
import statistics
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "integration"))

from doubles import Carrier, Loop, Providers  # noqa: E402
from roles import Roles  # noqa: E402

SPEECH = ROOT / "tests" / "fixtures" / "speech"
SILENCE_MS = 500


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def measure(turns):
    loop = Loop()
    providers, carrier = Providers(loop), Carrier(loop)
    providers.heard = ["What are your opening hours on Saturday?"]
    providers.reply = "We are open from nine to five on Saturdays."
    question, hello = ((SPEECH / f"{name}.ulaw").read_bytes() for name in ("question", "hello"))
    own, spent = [], []

    async def callee(line):
        await line.listen(0.2)
        await line.say(hello)
        await line.hear_answer()
        for _ in range(turns):
            spoken = await line.say(question)
            if not await line.hear_answer():
                continue
            first = next(at for at in line.arrived if at > spoken)
            took = sum(times[-1] for times in providers.took.values()) * 1000
            spent.append(took)
            own.append((first - spoken) * 1000 - SILENCE_MS - took)

    carrier.callee = callee
    with tempfile.TemporaryDirectory() as tmp:
        roles = Roles(tmp, providers, carrier).start_all()
        try:
            settings = dict.fromkeys(("silence_ms", "silence_complete_ms", "silence_unfinished_ms",
                                      "silence_collect_ms"), SILENCE_MS)
            body = roles.dial(roles.agent(turn_settings={"speculation": False, **settings},
                                          max_duration_s=3600))
            call = carrier.calls[body["twilio_sid"]]
            loop.run(asyncio.wait_for(call["done"].wait(), 60 + 12 * turns), 70 + 12 * turns)
        finally:
            roles.stop()
            loop.close()
    return own, spent


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=20)
    parser.add_argument("--limits", action="store_true", help="fail when the median is 15 ms or more")
    args = parser.parse_args()
    own, spent = measure(args.turns)
    print(json.dumps({
        "measure": "own_share_ms", "turns": len(own), "p50": round(statistics.median(own), 1),
        "p95": round(percentile(own, 0.95), 1), "max": round(max(own), 1),
        "providers_p50": round(statistics.median(spent), 1),
        "ratio": round(statistics.median(own) / statistics.median(spent), 3)}))
    if args.limits and statistics.median(own) >= 15:
        sys.exit("RelayX's own share has a median of 15 ms or more")


if __name__ == "__main__":
    main()
