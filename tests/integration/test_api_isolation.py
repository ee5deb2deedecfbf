"""Isolation, generated from the description: for every operation with ids in its path, another user's object is the same 404 as
one that does not exist, and nobody gets anything without a token."""

import re

import pytest

from roles import Roles, request

NONE = "0190a0b0-0000-7000-8000-00000000dead"


class Nobody:
    url, account, token = "http://127.0.0.1:9", "AC" + "2" * 32, "a-token-that-only-tests-know"


class World:
    """Two users; the first has one of everything that the API can make."""

    def __init__(self, folder):
        self.roles = Roles(folder, Nobody, Nobody, LLM_PROVIDERS="openai", RATE_LIMITS="read=90000,write=90000,heavy=90000,auth=90000,address=90000")
        self.roles.start("api")
        self.api = self.roles.api
        self.owner, self.other = (self.account(name) for name in ("owner", "other"))
        self.doc = request("GET", self.api + "/openapi.json")[1]
        self.ids = {}

    def account(self, name):
        who = {"email": f"{name}@example.com", "password": "correct horse"}
        request("POST", self.api + "/auth/signup", who)
        return request("POST", self.api + "/auth/login", who)[1]["access_token"]

    def make(self, name, path, body):
        status, made = request("POST", self.api + path, body, self.owner)
        assert status in (200, 201, 202, 502), (path, status, made)
        self.ids[name] = made.get("id") or made.get("call_id") or (made.get("agent") or {}).get("id")
        return self.ids[name]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    made = World(tmp_path_factory.mktemp("isolation"))
    paths = made.doc["paths"]
    agent = made.make("agent_id", "/agents", {"name": "Emma", "prompt_text": "Be kind."})
    for name, path, body in (
            ("knowledge_id", "/api/knowledge", {"agent_id": agent, "title": "T", "content": "C"}),
            ("contact_id", "/contacts", {"phone_number": "+12025550123", "name": "Ann"}),
            ("list_id", "/contact-lists", {"name": "L"}),
            ("webhook_id", "/webhooks", {"url": "https://example.com/", "events": ["call.ended"]}),
            ("number_id", "/phone-numbers", {"phone_number": "+12025550144"}),
            ("key_id", "/api-keys", {"name": "K", "scopes": ["read"]}),
            ("call_id", "/calls/outbound", {"agent_id": agent, "phone_number": "+12025550123"})):
        if path in paths:
            made.make(name, path, body)
    yield made
    made.roles.stop()


def operations(doc):
    for path, item in doc["paths"].items():
        for method in ("get", "post", "put", "patch", "delete"):
            if method in item:
                yield method.upper(), path, item[method]


def sample(doc, schema, depth=0):
    """A small valid value of a schema, as far as the description says what is valid."""
    while "$ref" in schema:
        node = doc
        for part in schema["$ref"][2:].split("/"):
            node = node[part]
        schema = node
    if "allOf" in schema:
        merged = {"type": "object", "properties": {}, "required": []}
        for part in schema["allOf"] + [schema]:
            while "$ref" in part:
                part = doc["components"]["schemas"][part["$ref"].rsplit("/", 1)[1]]
            merged["properties"].update(part.get("properties", {}))
            merged["required"] += part.get("required", [])
        schema = merged
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return sample(doc, schema[key][0], depth)
    if "example" in schema:
        return schema["example"]
    if schema.get("enum"):
        return schema["enum"][0]
    kind = schema.get("type", "object")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        return {k: sample(doc, v, depth + 1) for k, v in schema.get("properties", {}).items() if k in schema.get("required", [])}
    if kind == "array":
        return [sample(doc, schema["items"], depth + 1)] * schema.get("minItems", 0)
    if kind in ("integer", "number"):
        return schema.get("minimum", 1)
    if kind == "boolean":
        return True
    if schema.get("format") == "uuid":
        return NONE
    if schema.get("format") == "uri":
        return "https://example.com/"
    if schema.get("format") == "date-time":
        return "2026-01-02T03:04:05Z"
    if "+[1-9]" in schema.get("pattern", ""):
        return "+12025550123"
    return "x" * max(1, schema.get("minLength", 1))


def body_of(doc, operation):
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" in content:
        return sample(doc, content["application/json"]["schema"])
    return None


def fill(world, path, ids):
    return re.sub(r"\{(\w+)\}", lambda m: ids.get(m.group(1)) or ("1" if m.group(1) in ("version", "name") else NONE), path)


def protected(world):
    return [(m, p, op) for m, p, op in operations(world.doc) if op.get("security") != []]


def test_another_users_object_does_not_exist(world):
    tried = 0
    for method, path, operation in protected(world):
        names = [n for n in re.findall(r"\{(\w+)\}", path) if n.endswith("_id")]
        if not names:
            continue
        body = body_of(world.doc, operation)
        theirs = request(method, world.api + fill(world, path, world.ids), body, world.other)
        none = request(method, world.api + fill(world, path, {}), body, world.other)
        assert theirs[0] == none[0], (method, path, theirs, none)
        assert theirs == none, (method, path, theirs, none)
        assert theirs[0] in (404, 415, 422), (method, path, theirs)
        tried += names[0] in world.ids
    assert tried > 15
    for name, path in (("agent_id", "/agents/{agent_id}"), ("call_id", "/calls/{call_id}")):  # nothing of it was harmed
        assert request("GET", world.api + fill(world, path, world.ids), token=world.owner)[0] == 200, name


def test_another_users_objects_in_bodies_and_queries(world):
    agent = world.ids["agent_id"]
    for path, body in (("/api/knowledge", {"agent_id": agent, "title": "T", "content": "C"}), ("/calls/outbound", {"agent_id": agent, "phone_number": "+12025550123"})):
        theirs = request("POST", world.api + path, body, world.other)
        none = request("POST", world.api + path, {**body, "agent_id": NONE}, world.other)
        assert theirs == none and theirs[0] == 404, (path, theirs, none)
    for path in ("/agents", "/calls", f"/calls?agent_id={agent}"):
        assert request("GET", world.api + path, token=world.other) == (200, [])


def test_nothing_without_a_token(world):
    for method, path, operation in protected(world):
        url = world.api + fill(world, path, world.ids)
        for token in (None, "a.b.c"):
            status, answer = request(method, url, body_of(world.doc, operation), token)
            assert status == 401 and answer["code"] == "unauthorized", (method, path, status, answer)


def test_ids_of_no_form_do_not_exist(world):
    for method, path, operation in protected(world):
        if re.search(r"\{\w+_id\}", path):
            url = world.api + re.sub(r"\{\w+\}", "1", path)
            assert request(method, url, body_of(world.doc, operation), world.owner)[0] == 404, (method, path)
