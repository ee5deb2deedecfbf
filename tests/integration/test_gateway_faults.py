"""The gateway when the store, the disk or the carrier's callbacks are not as they should be. Doubles that share no code with RelayX."""

import asyncio
import time

import pytest

from doubles import Carrier, Loop, Providers
from roles import Roles, request, wait_until
from test_reliability import backlog, end_of, finished, rows_of, said, speech, store_away


@pytest.fixture
def world(tmp_path):
    loop = Loop()
    providers, carrier = Providers(loop), Carrier(loop)
    roles = Roles(tmp_path, providers, carrier)
    yield loop, providers, carrier, roles
    roles.stop()
    loop.close()


def test_a_row_is_durable_within_a_second_though_the_store_hangs(world):
    """In the first seconds of an outage a write neither succeeds nor fails: the row must be on disk all the same, and the next
    turn must not be late."""
    loop, providers, carrier, roles = world
    providers.heard = ["Hello?", "What are your opening hours on Saturday?", "And on Sunday?"]
    away, heard, again = asyncio.Event(), asyncio.Event(), asyncio.Event()
    seen = {}

    async def callee(line):
        await line.listen(0.3)
        await line.say(speech("hello"))
        await line.hear_answer()
        loop.loop.call_soon(away.set)
        await line.listen(0.3)
        for name, event in (("first", heard), ("second", again)):
            spoken = await line.say(speech("question"))
            await line.listen(6, lambda: line.first_audio_after(spoken))
            seen[name] = line.first_audio_after(spoken) - spoken
            event.set()
            await line.hear_answer()
        await line.listen(20)

    def on_disk(words):
        return words in "".join(file.read_text() for file in (roles.tmp / "data" / "spool").glob("*.spool"))

    carrier.callee = callee
    roles.start_all()
    body = roles.dial(roles.agent())
    loop.run(asyncio.wait_for(away.wait(), 30), 35)
    with store_away(roles):
        since = time.monotonic()
        loop.run(asyncio.wait_for(heard.wait(), 30), 35)
        assert wait_until(lambda: on_disk("Saturday"), 1.0, 0.02)
        assert time.monotonic() - since < 5, "the store's own time-out must not have helped"
        loop.run(asyncio.wait_for(again.wait(), 30), 35)
        assert on_disk("Saturday")
        roles.processes["gateway"].kill()
        roles.processes["gateway"].wait()
    assert max(seen.values()) < 2.5, seen
    roles.start("gateway")
    assert roles.ended(body["call_id"], 20)["ended_reason"] == "gateway_lost"
    assert wait_until(lambda: not list((roles.tmp / "data" / "spool").glob("*.spool")), 15)
    texts = [text for _, _, text in rows_of(roles, body["call_id"])]
    assert texts.count("What are your opening hours on Saturday?") == 1, texts
