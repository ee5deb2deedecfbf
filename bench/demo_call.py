#!/usr/bin/env python3
"""Measures the demo's call on this machine and compares it with bench/baseline.json.

    bench/demo_call.py [--calls N] [--save] [--limits]

Times of speech and language models follow the processor, so each figure is also given as a ratio to a fixed piece of work
that is timed in the same run; the comparison uses these ratios. --save makes the result the new baseline. --limits
ends with 1 when the first audio's median is over 1.2 s or its p95 over 2.0 s, which an idle machine of two cores holds.
"""
import argparse
import hashlib
import json
import pathlib
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BASELINE = ROOT / "bench" / "baseline.json"
MEDIAN_MAX_MS, P95_MAX_MS = 1200, 2000
STAGES = ("first_audio_ms", "stt_ms", "llm_ms", "tts_ms")


def fixed_work_ms():
    """The best of five runs of one core's SHA-256 over 64 MB."""
    block = b"\0" * (1 << 20)

    def once():
        began = time.perf_counter()
        digest = hashlib.sha256()
        for _ in range(64):
            digest.update(block)
        digest.hexdigest()
        return (time.perf_counter() - began) * 1000
    return min(once() for _ in range(5))


def one_call():
    done = subprocess.run([ROOT / "build" / "relayx", "demo", "--exit", "--json"], capture_output=True, text=True,
                          check=False)
    if done.returncode:
        sys.exit(f"the demo failed:\n{done.stderr[-3000:]}")
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=3, help="calls to place (3)")
    parser.add_argument("--save", action="store_true", help="keep the result as the baseline")
    parser.add_argument("--limits", action="store_true", help="fail when the first audio is late")
    args = parser.parse_args()
    work = fixed_work_ms()
    turns = [turn for _ in range(args.calls) for turn in one_call()["turns"]]
    result = {"fixed_work_ms": round(work, 1), "turns": len(turns), "figures": {}}
    for source in ("answer", "llm"):
        for stage in STAGES:
            values = [t[stage] for t in turns if t["source"] == source and isinstance(t[stage], (int, float))]
            if values:
                median = statistics.median(values)
                result["figures"][f"{source}.{stage}"] = {"median_ms": round(median), "ratio": round(median / work, 3)}
    before = json.loads(BASELINE.read_text())["figures"] if BASELINE.exists() else {}
    print(f"{'figure':26}{'median ms':>10}{'ratio':>9}{'baseline':>10}{'change':>9}")
    for name, figure in result["figures"].items():
        old = before.get(name, {}).get("ratio")
        change = f"{100 * (figure['ratio'] / old - 1):+.0f} %" if old else "-"
        print(f"{name:26}{figure['median_ms']:>10}{figure['ratio']:>9}{old or '-':>10}{change:>9}")
    times = sorted(t["first_audio_ms"] for t in turns if t["first_audio_ms"] is not None)
    median, p95 = statistics.median(times), times[min(len(times) - 1, int(0.95 * len(times)))]
    print(f"first audio: median {median:.0f} ms, p95 {p95:.0f} ms of {len(times)} turns")
    if args.save:
        BASELINE.write_text(json.dumps(result, indent=1) + "\n")
    if args.limits and (median > MEDIAN_MAX_MS or p95 > P95_MAX_MS):
        sys.exit(f"too late: at most {MEDIAN_MAX_MS} and {P95_MAX_MS} ms on an idle machine")


if __name__ == "__main__":
    main()
