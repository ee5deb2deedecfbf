"""A call on a user's own carrier account, and what it is said to have cost."""
import time

import pytest

from doubles import Carrier, Loop, Providers
from roles import Roles, wait_until
from test_gateway import finished, speech


class Keyed(Providers):
    """Remembers whose keys came."""

    def __init__(self, loop):
        self.keys = set()
        super().__init__(loop)

    async def transcribe(self, request):
        self.keys.add(("stt", request.headers["Authorization"]))
        return await super().transcribe(request)

    async def chat(self, request):
        self.keys.add(("llm", request.headers["Authorization"]))
        return await super().chat(request)

    async def speak(self, request):
        self.keys.add(("tts", request.headers["Authorization"]))
        return await super().speak(request)


class Server:
    """What the operator has set: an account that may not dial here."""

    account, token = "AC" + "9" * 32, "the-servers-token"

    def __init__(self, url):
        self.url = url


@pytest.fixture
def world(tmp_path):
    loop = Loop()
    providers, carrier = Keyed(loop), Carrier(loop)
    roles = Roles(tmp_path, providers, Server(carrier.url))
    yield loop, providers, carrier, roles
    roles.stop()
    loop.close()


def test_a_call_on_the_users_own_account(world):
    loop, providers, carrier, roles = world
    providers.heard = ["Hello?", "What are your opening hours on Saturday?", "Thank you, goodbye."]

    async def callee(line):
        await line.listen(0.3)
        await line.say(speech("hello"))
        assert await line.hear_answer()
        await line.say(speech("question"))
        assert await line.hear_answer()
        await line.say(speech("bye"))
        await line.listen(15)

    carrier.callee = callee
    roles.start_all()
    agent = roles.agent()
    status, body = roles.call("POST", "/calls/outbound", {"agent_id": agent, "phone_number": "+12025550123"})
    assert status == 502, body  # the server's own account is refused by this carrier
    for name, value in (("twilio_account_sid", carrier.account), ("twilio_auth_token", carrier.token),
                        ("twilio_phone_number", "+12025550199"), ("openai_api_key", "sk-of-the-user")):
        assert roles.call("PUT", f"/account/secrets/{name}", {"value": value})[0] == 200
    body = roles.dial(agent)
    line = finished(loop, carrier, body)
    assert "error" not in line, line
    assert line["form"]["From"] == "+12025550199"
    assert f"/twilio/media/{body['call_id']}" in line["twiml"]
    call = roles.ended(body["call_id"])
    assert call["status"] == "completed"
    assert wait_until(lambda: line.get("rest_hangup"), 5), "the gateway must end the call at the account that dialed it"

    def credits():
        answer = roles.call("GET", "/api-credits")[1]
        return answer if "stt_seconds" in answer["providers"].get("openai", {}) else None

    answer = wait_until(credits, 10)
    assert answer, roles.log("gateway")
    used = answer["providers"]["openai"]
    assert used["llm_tokens_in"] > 10 and used["tts_characters"] > 20 and used["stt_seconds"] >= 3
    assert used["cost"] == 0, "the user has paid it himself"
    assert providers.keys == {(stage, "Bearer sk-of-the-user") for stage in ("stt", "llm", "tts")}
    assert answer["providers"]["simulator"]["carrier_minutes"] == 1
    assert answer["today"]["providers"] == answer["providers"] and answer["period"] == time.strftime("%Y-%m", time.gmtime())
    for role in ("api", "gateway", "worker"):
        assert carrier.token not in roles.log(role) and "sk-of-the-user" not in roles.log(role)
