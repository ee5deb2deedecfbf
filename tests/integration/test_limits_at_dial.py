"""What was allowed when a call was asked for is asked again when it is dialed."""
import subprocess
import time

import pytest

from conftest import RELAYX
from roles import Roles, wait_until
from test_api import Carrier


@pytest.fixture
def roles(tmp_path):
    carrier = Carrier()
    made = Roles(tmp_path, carrier, carrier, LLM_PROVIDERS="openai")
    made.carrier = carrier
    made.start("api")
    yield made
    made.stop()
    carrier.server.shutdown()


def limit(roles, *words):
    subprocess.run([RELAYX, "user", "limit", "owner@example.com", *words], env=roles.environment, cwd=roles.tmp, check=True,
                   capture_output=True)


def status(roles, call):
    return roles.call("GET", f"/calls/{call['call_id']}")[1]


def test_countries(roles):
    call = roles.dial(roles.agent())  # nobody dials it yet
    limit(roles, "countries=DE")
    roles.start("worker")
    ended = roles.ended(call["call_id"])
    assert (ended["status"], ended["ended_reason"]) == ("failed", "country_not_allowed")
    assert not roles.carrier.dials


def test_concurrent_calls(roles):
    agent = roles.agent()
    calls = [roles.dial(agent, f"+1202555012{n}") for n in range(3)]
    limit(roles, "concurrent_calls=1")
    roles.start("worker")
    assert wait_until(lambda: len(roles.carrier.dials) == 1)
    time.sleep(3)  # three runners had the chance to take the same place
    assert len(roles.carrier.dials) == 1
    first = next(call for call in calls if status(roles, call)["status"] != "initiated")
    assert roles.call("POST", f"/calls/{first['call_id']}/hangup")[0] == 200
    assert wait_until(lambda: len(roles.carrier.dials) == 2, 10)
    assert sorted(status(roles, call)["status"] for call in calls if call != first) == ["initiated", "queued"]
