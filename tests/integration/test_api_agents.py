"""Agents over HTTP: their fields, versions, duplicates, templates, tools, and a chat with one."""
import json
import sqlite3
import types
import urllib.request
import uuid

import pytest

from conftest import request
from providers import Stub
from roles import Roles

CARRIER = types.SimpleNamespace(url="http://127.0.0.1:9", account="AC" + "2" * 32, token="a-token-of-tests")
RATES = "heavy=6000,write=6000"  # a suite asks more often than a user


@pytest.fixture(scope="module")
def stub():
    made = Stub()
    made.delay_s = 0
    yield made
    made.close()


@pytest.fixture(scope="module")
def groq():
    made = Stub()
    made.delay_s, made.reply = 0, "This is Groq."
    yield made
    made.close()


@pytest.fixture(scope="module")
def roles(tmp_path_factory, stub, groq):
    made = Roles(tmp_path_factory.mktemp("agents"), stub, CARRIER, LLM_PROVIDERS="openai", RATE_LIMITS=RATES,
                 GROQ_API_KEY="gsk-test", GROQ_BASE_URL=groq.url)
    made.start("api")
    yield made
    made.stop()


@pytest.fixture
def agent(roles):
    status, body = roles.call("POST", "/agents", {"name": "Emma", "prompt_text": "Be kind."})
    assert status == 201, body
    return body


def refused(roles, method, path, body, field, words=""):
    status, answer = roles.call(method, path, body)
    assert status == 422, (status, answer)
    assert field in [f["field"] for f in answer["fields"]], answer
    assert words in answer["detail"], answer


FULL = {
    "name": "Full", "prompt_text": "You talk to {{contact.name|a customer}} about {{variables.order}}.",
    "template_source": "sales", "voice_settings": {"voice_id": "en_US-libritts-high", "speed": 1.25},
    "llm_model": "llama3:8b", "temperature": 0.35, "max_tokens": 99, "is_active": True,
    "greeting": "Hello {{contact.name|there}}", "goodbye": "Bye {{agent.name}}", "language": "en",
    "first_speaker": "agent", "turn_settings": {"silence_ms": 700, "barge_in": False}, "knowledge_mode": "answers",
    "max_duration_s": 120, "extraction": [{"name": "size", "type": "number", "description": "of the shoe"}],
    "voicemail_message": "Please call {{call.caller_id|us}}.", "voicemail_policy": "leave_message",
    "tools": [{"type": "end_call"}, {"type": "transfer", "phone_number": "+12025550111", "say": "One moment."},
              {"type": "webhook", "name": "get_price", "url": "https://example.com/price", "method": "POST",
               "parameters": {"type": "object", "properties": {"item": {"type": "string"}}}, "timeout_ms": 3000}],
    "providers": {"stt": ["groq", "local"], "llm": ["openai"], "tts": ["local"]},
}


def test_every_field_comes_back(roles):
    status, made = roles.call("POST", "/agents", FULL)
    assert status == 201, made
    for name, value in FULL.items():
        assert made[name] == value, name
    assert made["warnings"] == [] and made["version"] == 1
    status, again = roles.call("GET", "/agents/" + made["id"])
    assert again == made
    row = next(a for a in roles.call("GET", "/agents")[1] if a["id"] == made["id"])
    assert row == dict(made, call_count=0, avg_duration=0, last_used=None)


@pytest.mark.parametrize("field, value, words", [
    ("prompt_text", "Hi {{name}}", "{{variables.name}}"),
    ("prompt_text", "one\ntwo {{contakt.name}}", "line 2, column 5"),
    ("greeting", "Hi {{contact.name", "never closed"),
    ("goodbye", "{{call.cost}}", "call has no field"),
    ("voicemail_message", "{{contact}}", "needs a field"),
    ("turn_settings", {"silence_ms": 1}, "silence_ms"),
    ("turn_settings", {"sillyness": 5}, "sillyness"),
    ("extraction", [{"name": "a"}, {"name": "a"}], "twice"),
    ("tools", [{"type": "transfer"}], "phone_number"),
    ("tools", [{"type": "webhook", "name": "end_call", "url": "https://x.example/"}], "built-in"),
    ("tools", [{"type": "webhook", "url": "https://x.example/"}], "name"),
    ("tools", [{"type": "webhook", "name": "a", "url": "ftp://x.example/"}], "url"),
    ("tools", [{"type": "fly"}], "type"),
    ("tools", [{"type": "webhook", "name": "a", "url": "https://x.example/", "parameters": {"type": "string"}}], "schema"),
    ("voicemail_policy", "leave_message", "voicemail_message"),
    ("providers", {"stt": ["nobody"]}, "providers"),
    ("providers", {"ears": []}, "providers"),
    ("temperature", 2.5, "temperature"), ("max_tokens", 0, "max_tokens"), ("name", "  ", "name"),
    ("voice_settings", {"speed": 9}, "speed"), ("max_duration_s", 5, "max_duration_s"),
    ("knowledge_mode", "some", "knowledge_mode"), ("is_active", "yes", "is_active"),
])
def test_bad_fields(roles, agent, field, value, words):
    status, answer = roles.call("POST", "/agents", {"name": "x", "prompt_text": "y", field: value})
    assert status == 422 and words in json.dumps(answer), answer
    assert any(f["field"].startswith(field) for f in answer["fields"]), answer
    assert roles.call("PUT", "/agents/" + agent["id"], {field: value})[0] == 422
    assert roles.call("GET", "/agents/" + agent["id"])[1] == agent


def test_unknown_names_warn(roles, agent):
    path = "/agents/" + agent["id"]
    status, changed = roles.call("PUT", path, {"llm_model": "nonesuch-9"})
    assert status == 200 and len(changed["warnings"]) == 1 and "nonesuch-9" in changed["warnings"][0]
    changed = roles.call("PUT", path, {"voice_settings": {"voice_id": "Darth"}})[1]
    assert len(changed["warnings"]) == 2
    changed = roles.call("PUT", path, {"llm_model": "llama3:8b", "voice_settings": {}})[1]
    assert changed["warnings"] == []


def test_versions(roles, agent):
    path = "/agents/" + agent["id"]
    roles.call("PUT", path, {"greeting": "Hi"})
    roles.call("PUT", path, {"greeting": "Hi"})
    assert roles.call("PUT", path, {"prompt_text": "Be brief.", "temperature": 0.1})[1]["version"] == 3
    status, rows = roles.call("GET", path + "/versions")
    assert status == 200 and [r["version"] for r in rows] == [3, 2, 1]
    assert sorted(rows[0]["changed"]) == ["prompt_text", "temperature"] and rows[2]["changed"] == []
    with urllib.request.urlopen(urllib.request.Request(
            roles.api + path + "/versions?limit=2", headers={"Authorization": "Bearer " + roles.token})) as reply:
        assert reply.headers["X-Total-Count"] == "3"
        link = reply.headers["Link"].split(">")[0].strip("<")
    assert [r["version"] for r in roles.call("GET", link)[1]] == [1]
    first = roles.call("GET", path + "/versions/1")[1]
    assert first["data"]["prompt_text"] == "Be kind." and "id" not in first["data"]
    status, restored = roles.call("POST", path + "/versions/1/restore")
    assert status == 200 and restored["version"] == 4
    assert {k: v for k, v in restored.items() if k not in ("version", "updated_at")} == {
        k: v for k, v in agent.items() if k not in ("version", "updated_at")}
    for bad in ("99", "0", "x", "99999999999999999999"):
        assert roles.call("GET", path + "/versions/" + bad)[0] == 404, bad
    assert roles.call("POST", path + "/versions/99/restore")[0] == 404


def test_duplicate(roles):
    original = roles.call("POST", "/agents", FULL)[1]
    status, copy = roles.call("POST", f"/agents/{original['id']}/duplicate")
    assert status == 201 and copy["id"] != original["id"] and copy["name"] == "Full (copy)"
    own = ("id", "name", "created_at", "updated_at")
    assert {k: v for k, v in copy.items() if k not in own} == {k: v for k, v in original.items() if k not in own}
    assert roles.call("POST", f"/agents/{original['id']}/duplicate", {"name": "Two"})[1]["name"] == "Two"
    assert roles.call("POST", f"/agents/{uuid.uuid4()}/duplicate")[0] == 404


def test_another_users_agent_is_not_there(roles, agent):
    account = {"email": "eve@example.com", "password": "correct horse"}
    request("POST", roles.api + "/auth/signup", account)
    token = request("POST", roles.api + "/auth/login", account)[1]["access_token"]
    path = "/agents/" + agent["id"]
    for method, tail, body in (("GET", "", None), ("PUT", "", {"name": "mine"}), ("DELETE", "", None),
                               ("GET", "/versions", None), ("GET", "/versions/1", None),
                               ("POST", "/versions/1/restore", None), ("POST", "/duplicate", None),
                               ("POST", "/test", {"messages": []})):
        assert request(method, roles.api + path + tail, body, token)[0] == 404, tail
    assert roles.call("GET", path)[1] == agent


# ---- the chat ----

def chat(roles, agent_id, *messages, **more):
    body = {"messages": [{"role": "assistant" if i % 2 else "user", "content": m} for i, m in enumerate(messages)], **more}
    req = urllib.request.Request(f"{roles.api}/agents/{agent_id}/test", json.dumps(body).encode(), method="POST", headers={
        "Authorization": "Bearer " + roles.token, "Content-Type": "application/json"})
    with urllib.request.urlopen(req, timeout=15) as reply:
        assert reply.headers["Content-Type"].startswith("text/event-stream")
        text = reply.read().decode()
    events = []
    for block in filter(None, text.split("\n\n")):
        kind, data = block.split("\n", 1)
        events.append((kind.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return events


def test_chat_streams_tokens(roles, agent, stub):
    stub.reply = "It costs five dollars."
    stub.requests.clear()
    events = chat(roles, agent["id"], "What is it?")
    assert [kind for kind, _ in events[:4]] == ["token"] * 4
    kind, done = events[-1]
    assert kind == "done" and done["text"].strip() == stub.reply and done["source"] == "llm"
    assert done["timings"]["first_token_ms"] <= done["timings"]["total_ms"]
    sent = json.loads(next(body for path, body in stub.requests if path.endswith("/chat/completions")))
    assert sent["messages"][0]["content"].startswith("Be kind.") and "on the phone" in sent["messages"][0]["content"]
    assert sent["messages"][-1] == {"role": "user", "content": "What is it?"}
    assert sent["tools"][0]["function"]["name"] == "end_call"


def test_chat_greets_fills_and_remembers(roles, stub):
    made = roles.call("POST", "/agents", {"name": "Ada", "prompt_text": "Order {{variables.order|none}}.",
                                          "greeting": "Hello {{contact.name|there}}!"})[1]
    assert chat(roles, made["id"])[0] == ("token", {"text": "Hello there!"})
    events = chat(roles, made["id"], variables={"contact": {"name": "Bo"}})
    assert events[-1][1]["text"] == "Hello Bo!" and events[-1][1]["source"] == "greeting"
    stub.requests.clear()
    chat(roles, made["id"], "Hi", "Hello, how can I help?", "My order", variables={"order": "A7"})
    sent = json.loads(stub.requests[-1][1])["messages"]
    assert sent[0]["content"].startswith("Order A7.")
    assert [m["role"] for m in sent] == ["system", "user", "assistant", "user"]


def test_chat_says_approved_answers_and_gives_passages(roles, agent, stub):
    known = {"agent_id": agent["id"], "title": "Price", "content": "Nine dollars a month.", "source_type": "answer",
             "questions": ["how much is it", "what does it cost"]}
    assert roles.call("POST", "/api/knowledge", known)[0] == 201
    events = chat(roles, agent["id"], "How much is it?")
    assert [kind for kind, _ in events][-3:] == ["answer", "token", "done"]
    assert events[-1][1]["text"] == "Nine dollars a month." and events[-1][1]["source"] == "answer"
    filler = " ".join(f"Shelf {n} is of plain steel." for n in range(120))
    assert roles.call("POST", "/api/knowledge", {"agent_id": agent["id"], "title": "Handbook",
                                                 "content": filler + " Gasket replacement takes two hours."})[0] == 201
    stub.requests.clear()
    events = dict(chat(roles, agent["id"], "How long does a gasket replacement take?"))
    assert "Gasket replacement takes two hours" in " ".join(events["passages"]["passages"])
    assert "Gasket" in json.loads(stub.requests[-1][1])["messages"][-1]["content"]


def test_chat_asks_the_agents_own_providers(roles, agent, stub):
    stub.reply = "This is OpenAI."
    assert chat(roles, agent["id"], "Who?")[-1][1]["text"].strip() == "This is OpenAI."
    path = "/agents/" + agent["id"]
    assert roles.call("PUT", path, {"providers": {"llm": ["groq", "openai"]}})[0] == 200
    assert chat(roles, agent["id"], "Who?")[-1][1]["text"].strip() == "This is Groq."


def test_chat_with_a_provider_that_fails(roles, agent, stub):
    stub.llm_status = 500
    try:
        kind, data = chat(roles, agent["id"], "Hello?")[-1]
        assert kind == "error" and data["code"] == "provider_failed" and "out of order" in data["detail"]
    finally:
        stub.llm_status = 200
    assert roles.call("POST", f"/agents/{agent['id']}/test", {"messages": [{"role": "system", "content": "x"}]})[0] == 422


def test_statistics_are_kept(roles, agent):
    """What the list says of calls comes from the transactions that begin and end them, and agrees with the calls."""
    roles.call("POST", "/calls/outbound", {"agent_id": agent["id"], "phone_number": "+12025550123"})
    row = next(a for a in roles.call("GET", "/agents")[1] if a["id"] == agent["id"])
    assert row["call_count"] == 1 and row["last_used"]
    database = sqlite3.connect(roles.tmp / "data" / "relayx.db")
    try:
        assert database.execute("SELECT call_count FROM agent_stats WHERE agent_id = ?", (agent["id"],)).fetchone() == (1,)
    finally:
        database.close()
