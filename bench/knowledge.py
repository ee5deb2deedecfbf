#!/usr/bin/env python3
"""Looking up passages among 10,000 chunks, on SQLite and on PostgreSQL: at most 30 ms (p99).

usage: bench/knowledge.py [BUILD_DIR]   (default build; a release build; builds its program there)
"""
import contextlib
import json
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
LIMIT_MS = 30
sys.path.insert(0, str(ROOT / "tests" / "integration"))
import postgres  # noqa: E402


def measure(program, url):
    done = subprocess.run([program, url], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"bench/knowledge.py: {done.stderr}")
    return json.loads(done.stdout)


def main():
    build = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build"
    subprocess.run(["ninja", "-C", build, "bench_knowledge"], check=True, stdout=subprocess.DEVNULL)
    program = build / "bin" / "bench_knowledge"
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        found["sqlite"] = measure(program, f"sqlite:{folder}/relayx.db")
    try:
        cluster = postgres.Cluster()
    except FileNotFoundError as missing:
        print(missing, file=sys.stderr)
    else:
        with contextlib.closing(cluster):
            found["postgres"] = measure(program, cluster.database())
    for store, result in found.items():
        print(f"{store:9} {json.dumps(result)}")
    slow = [store for store, result in found.items() if result["p99_ms"] > LIMIT_MS]
    if slow:
        sys.exit(f"bench/knowledge.py: over {LIMIT_MS} ms on {', '.join(slow)}")


main()
