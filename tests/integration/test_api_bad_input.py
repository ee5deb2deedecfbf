"""The API from outside, with everything that a client should not send: each gets a clear 4xx, and the process stays well."""

import base64
import hashlib
import hmac
import json
import socket
import threading
import time

import pytest

from conftest import wait_for
from roles import Roles, request

KEY = "0123456789abcdef0123456789abcdef"


class Nobody:
    url, account, token = "http://127.0.0.1:9", "AC" + "2" * 32, "a-token-that-only-tests-know"


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    roles = Roles(tmp_path_factory.mktemp("api"), Nobody, Nobody, LLM_PROVIDERS="openai", CORS_ORIGINS="https://app.example",
                  RATE_LIMITS="auth=2000,read=20000,write=20000,heavy=2000,address=100000")
    roles.start("api")
    roles.login()
    yield roles
    roles.stop()


def raw(api, data, end=b"", seconds=10):
    """Sends bytes as they are; the answer's status, headers (lower case) and body."""
    with socket.create_connection(("127.0.0.1", api.api_port), seconds) as s:
        for piece in data if isinstance(data, (list, tuple)) else [data]:
            try:
                s.sendall(piece)
            except (BrokenPipeError, ConnectionResetError):
                break
        answer = b""
        while True:
            try:
                got = s.recv(65536)
            except ConnectionResetError:
                break
            answer += got
            head, _, body = answer.partition(b"\r\n\r\n")
            lines = head.decode("latin-1").split("\r\n")
            headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:])}
            if not got or (b"\r\n\r\n" in answer and len(body) >= int(headers.get("content-length", 1 << 40))):
                break
        assert answer, "the connection was closed without an answer"
        return int(lines[0].split()[1]), headers, body


def head_of(api, method, path, headers=None, token=True):
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
    lines += [f"Authorization: Bearer {api.token}"] if token else []
    lines += [f"{k}: {v}" for k, v in (headers or {}).items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def post(api, path, body, content_type="application/json", method="POST"):
    return raw(api, [head_of(api, method, path, {"Content-Type": content_type, "Content-Length": len(body), "Connection": "close"}), body])


def code_of(answer):
    return json.loads(answer[2])["code"]


def well(api):
    assert api.processes["api"].poll() is None
    assert request("GET", api.api + "/ready")[0] == 200


# ---- the seed's contract, whole ----

def test_the_seeds_contract(api):
    account = {"email": "newuser@example.com", "password": "secure_password", "name": "John Doe"}
    status, body = request("POST", api.api + "/auth/signup", account)
    assert (status, set(body)) == (201, {"message", "user_id"}) and body["message"] == "User created successfully"
    status, tokens = request("POST", api.api + "/auth/login", account)
    assert status == 200 and tokens["token_type"] == "bearer"
    assert tokens["user"] == {"id": body["user_id"], "email": account["email"], "name": "John Doe"}
    status, fresh = request("POST", api.api + "/auth/refresh", {"refresh_token": tokens["refresh_token"]})
    assert (status, set(fresh)) == (200, {"access_token", "token_type", "expires_in"})
    token = fresh["access_token"]
    agent = {"name": "Sales Assistant", "prompt_text": "You are a helpful sales assistant...",
             "voice_settings": {"voice_id": "en_US-libritts-high", "speed": 1.0}, "llm_model": "llama3:8b", "temperature": 0.7,
             "max_tokens": 150}
    status, made = request("POST", api.api + "/agents", agent, token)
    assert status == 201 and {k: made[k] for k in agent} == agent and made["is_active"] is True
    status, rows = request("GET", api.api + "/agents", token=token)
    assert status == 200 and [r["id"] for r in rows] == [made["id"]]
    assert {"call_count", "avg_duration", "last_used"} <= set(rows[0])
    status, changed = request("PUT", f"{api.api}/agents/{made['id']}", {"temperature": 0.2}, token)
    assert status == 200 and changed["temperature"] == 0.2 and changed["name"] == agent["name"]
    known = {"agent_id": made["id"], "title": "Prices", "content": "A loaf costs three euros."}
    status, entry = request("POST", api.api + "/api/knowledge", known, token)
    assert status == 201 and {k: entry[k] for k in known} == known and entry["source_type"] == "manual"
    assert [e["id"] for e in request("GET", f"{api.api}/api/agents/{made['id']}/knowledge", token=token)[1]] == [entry["id"]]
    assert request("DELETE", f"{api.api}/api/knowledge/{entry['id']}", token=token)[0] == 200
    assert request("GET", api.api + "/calls", token=token) == (200, [])
    status, gone = request("DELETE", f"{api.api}/agents/{made['id']}", token=token)
    assert status == 200 and gone["message"]
    assert request("GET", f"{api.api}/agents/{made['id']}", token=token)[0] == 404


# ---- tokens ----

def b64(data):
    data = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def forged(header, claims, key=KEY, digest=hashlib.sha256):
    signed = f"{b64(header)}.{b64(claims)}"
    return f"{signed}.{b64(hmac.new(key.encode(), signed.encode(), digest).digest())}"


def test_forged_tokens(api):
    user = request("GET", api.api + "/auth/me", token=api.token)[1]["id"]
    now = int(time.time())
    claims = {"sub": user, "type": "access", "iat": now, "exp": now + 3600}
    good = {"alg": "HS256", "typ": "JWT"}

    def status(token):
        return raw(api, head_of(api, "GET", "/auth/me", {"Authorization": "Bearer " + token, "Connection": "close"}, False))[0]

    assert status(forged(good, claims)) == 200
    head, body, mark = api.token.split(".")
    bad = [f"{b64({'alg': 'none', 'typ': 'JWT'})}.{b64(claims)}.", f"{b64({'alg': 'None'})}.{b64(claims)}.",
           f"{b64({'alg': 'nOnE'})}.{b64(claims)}.{mark}", f"{b64({'alg': ''})}.{b64(claims)}.", f"{b64({})}.{b64(claims)}.",
           forged({"alg": "HS512", "typ": "JWT"}, claims, digest=hashlib.sha512), forged({"alg": "RS256"}, claims), forged(good, claims, key="x" * 32),
           forged(good, claims, key=""), forged(good, {**claims, "exp": now - 1}), forged(good, {**claims, "exp": "never"}),
           forged(good, {k: v for k, v in claims.items() if k != "exp"}), forged(good, {**claims, "type": "refresh"}),
           forged(good, {**claims, "sub": user + "0"}), forged(good, {**claims, "sub": 7}), forged(good, []), f"{head}.{body}", f"{head}.{body}.",
           f"{head}..{mark}", f"{head}.{b64({**claims, 'sub': 'x'})}.{mark}", ".", "..", "...", "a.b.c", "", "x" * 20000, "%00", "é.é.é",
           f"{head}.{body}.{mark}.{mark}", f" {head}", "null", "{}"]
    for token in bad:
        assert status(token) in (401, 431), token[:80]
    for header in ("Basic dXNlcjpwdw==", "Bearer", "Token x", api.token, "bearer"):
        answer = raw(api, head_of(api, "GET", "/auth/me", {"Authorization": header, "Connection": "close"}, False))
        assert answer[0] == 401 and answer[1]["www-authenticate"] == "Bearer"
    well(api)


# ---- bodies ----

@pytest.mark.parametrize("body, status", [
    (b"", 400), (b"{", 400), (b"{\"name\":", 400), (b"nope", 400), (b"{} {}", 400), (b"{'name':'x'}", 400), (b"[1,2", 400), (b"\xff\xfe{\0}\0", 400),
    (b"{\"name\":\"\xff\"}", 400), (b"{\"name\":\"\xed\xa0\x80\"}", 400), (b"{\"name\":\"\xc0\x80\"}", 400), (b"{\"name\":\"\\ud800\"}", 400),
    (b"{\"name\":NaN}", 400), (b"{\"name\":1e999}", 400), (b"\xef\xbb\xbf{}", 400), (b"[" * 30000, 400), (b"{\"a\":" * 10000, 400),
    (b"[" * 30000 + b"]" * 30000, 400), (b"{\"name\":\"" + b"[" * 30000, 400),
    (b"null", 422), (b"7", 422), (b"\"x\"", 422), (b"[]", 422), (b"true", 422), (b"{}", 422), (b"{\"name\":\"a\\u0000b\",\"prompt_text\":\"p\"}", 422),
    (b"{\"name\\u0000\":\"a\",\"prompt_text\":\"p\"}", 422),
])
def test_bodies_that_are_no_agent(api, body, status):
    answer = post(api, "/agents", body)
    assert answer[0] == status and json.loads(answer[2])["detail"], answer
    assert answer[1]["content-type"].startswith("application/json")


@pytest.mark.parametrize("fields", [
    {"name": 7}, {"name": None}, {"name": []}, {"name": {}}, {"name": ""}, {"name": " \t\n"}, {"name": "x" * 201}, {"name": "é" * 201},
    {"prompt_text": "x" * 50001}, {"temperature": "0.7"}, {"temperature": 2.01}, {"temperature": -0.1}, {"temperature": True},
    {"max_tokens": 0}, {"max_tokens": 1.5}, {"max_tokens": 10**30}, {"max_tokens": -(10**30)}, {"is_active": 1}, {"is_active": "true"},
    {"voice_settings": []}, {"voice_settings": {"speed": "fast"}}, {"voice_settings": {"speed": 99}}, {"voice_settings": "x"},
    {"first_speaker": "nobody"}, {"extraction": {}}, {"extraction": [{"name": "a b"}]}, {"extraction": [{}]}, {"extraction": [[]]},
    {"tools": [1]}, {"turn_settings": {"no_such": 1}},
])
def test_fields_of_the_wrong_kind(api, fields):
    status, body = api.call("POST", "/agents", {"name": "n", "prompt_text": "p", **fields})
    assert status == 422 and body["code"] == "validation_error", body
    assert body["fields"] and body["fields"][0]["field"].split(".")[0].split("[")[0] == next(iter(fields)), body
    assert all(set(f) == {"field", "message"} and f["message"] for f in body["fields"])


def test_every_wrong_field_is_named(api):
    status, body = api.call("POST", "/agents", {"name": 1, "temperature": "x", "tools": [1, 2]})
    assert status == 422
    assert [f["field"] for f in body["fields"]] == ["name", "prompt_text", "temperature", "tools[0]", "tools[1]"]


def test_bodies_that_are_too_large(api):
    """413 comes from Content-Length alone, before anything is read, and from a count when there is no length."""
    size = 30 << 20
    started = time.monotonic()
    announced = raw(api, head_of(api, "POST", "/agents", {"Content-Type": "application/json", "Content-Length": size}))
    assert announced[0] == 413 and code_of(announced) == "too_large" and time.monotonic() - started < 2
    block = b"x" * (1 << 20)
    sent = raw(api, [head_of(api, "POST", "/agents", {"Content-Type": "application/json", "Content-Length": size})] + [block] * 30)
    assert sent[0] == 413
    chunk = b"100000\r\n" + block + b"\r\n"
    chunked = raw(api, [head_of(api, "POST", "/agents", {"Content-Type": "application/json", "Transfer-Encoding": "chunked"})] + [chunk] * 30 + [b"0\r\n\r\n"])
    assert chunked[0] == 413
    assert raw(api, head_of(api, "POST", "/auth/login", {"Content-Length": 1 << 40}, False))[0] == 413
    well(api)


def test_a_large_body_of_a_stranger_is_not_read(api):
    answer = raw(api, head_of(api, "POST", "/agents", {"Content-Type": "application/json", "Content-Length": 900000}, False))
    assert answer[0] == 401 and answer[1].get("connection") == "close"


def test_content_types(api):
    body = json.dumps({"name": "n", "prompt_text": "p"}).encode()
    for content_type in ("text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonp", "*/*", "json"):
        assert post(api, "/agents", body, content_type)[0] == 415, content_type
    for content_type in ("application/json", "application/json; charset=utf-8", "APPLICATION/JSON"):
        assert post(api, "/agents", body, content_type)[0] == 201, content_type


# ---- methods, paths, queries ----

def test_methods(api):
    for method, path in (("PATCH", "/agents"), ("DELETE", "/agents"), ("POST", "/health"), ("PUT", "/auth/login"), ("TRACE", "/agents"),
                         ("FOO", "/calls"), ("GET", "/auth/login"), ("GET", "/calls/outbound"), ("OPTIONS", "/agents")):
        answer = raw(api, head_of(api, method, path, {"Connection": "close"}))
        assert answer[0] == 405 and answer[1]["allow"], (method, path, answer)
    for path in ("/health", "/agents", "/openapi.json", "/docs"):
        answer = raw(api, head_of(api, "HEAD", path, {"Connection": "close"}))
        assert answer[0] == 200 and not answer[2] and int(answer[1]["content-length"]) > 0, (path, answer)


@pytest.mark.parametrize("path, status", [
    ("/nothing", 404), ("/agents/", 404), ("//agents", 404), ("/agents/x", 404), ("/agents/..", 404), ("/agents/%2e%2e%2fhealth", 404),
    ("/agents/00000000-0000-0000-0000-000000000000", 404), ("/agents/' OR 1=1 --".replace(" ", "%20"), 404), ("/agents/" + "a" * 5000, 404),
    ("/agents/0190a0b0-0000-7000-8000-00000000000g", 404), ("/agents/%00", 422), ("/agents?cursor=%00", 422), ("/agents/%ff", 400), ("/agents?limit=%c3%28", 400),
    ("/agents?limit=0", 422), ("/agents?limit=201", 422), ("/agents?limit=", 422), ("/agents?limit=1.0", 422), ("/agents?limit=1e1", 422), ("/agents?limit=+1", 422),
    ("/agents?limit=99999999999999999999", 422), ("/agents?limit=1&limit=2", 422), ("/agents?limit=-1", 422), ("/agents?cursor=x", 422),
    ("/agents?cursor=0190a0b0-0000-7000-8000-000000000001'", 422), ("/calls?status=sleeping", 422), ("/calls?agent_id=1", 422),
    ("/agents?" + "&".join(f"a{i}=1" for i in range(400)), 200), ("/agents?&&&=&=x&limit=1", 200), ("/agents?unknown=%F0%9F%98%80", 200),
])
def test_paths_and_queries(api, path, status):
    answer = raw(api, head_of(api, "GET", path, {"Connection": "close"}))
    assert answer[0] == status, answer
    if status != 200:
        assert json.loads(answer[2])["detail"]


def test_what_is_no_http(api):
    for data in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 100, b"\0" * 1000, b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
                 b"POST /agents HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n", b"POST /agents HTTP/1.1\r\nHost: x\r\nContent-Length: 1x\r\n\r\n"):
        try:
            status = raw(api, data, seconds=5)[0]
        except (AssertionError, OSError, IndexError, ValueError):
            continue  # closed, which is an answer too
        assert 400 <= status < 500 or status == 505, (data[:40], status)
    assert raw(api, head_of(api, "GET", "/agents/" + "a" * 100000))[0] in (404, 414, 431)
    assert raw(api, head_of(api, "GET", "/agents", {"X-Big": "a" * 200000}))[0] in (400, 431)
    well(api)


# ---- headers ----

def test_headers_of_every_answer(api):
    for path in ("/agents", "/nothing", "/auth/me", "/openapi.json"):
        headers = raw(api, head_of(api, "GET", path, {"X-Request-Id": "abc-1", "Connection": "close", "Origin": "https://evil.example"}))[1]
        assert headers["x-request-id"] == "abc-1" and headers["x-content-type-options"] == "nosniff" and headers["x-frame-options"] == "DENY"
        assert headers["cache-control"] and "default-src 'none'" in headers["content-security-policy"]
        assert "access-control-allow-origin" not in headers
    for bad in ("a b", "x" * 100, "é", "<script>"):
        assert raw(api, head_of(api, "GET", "/health", {"X-Request-Id": bad, "Connection": "close"}))[1]["x-request-id"] != bad


def test_other_origins_by_the_list_alone(api):
    asked = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST", "Connection": "close"}
    status, headers, _ = raw(api, head_of(api, "OPTIONS", "/agents", asked, False))
    assert status == 204 and headers["access-control-allow-origin"] == "https://app.example" and "POST" in headers["access-control-allow-methods"]
    assert "authorization" in headers["access-control-allow-headers"].lower() and headers["vary"] == "Origin"
    assert "access-control-allow-credentials" not in headers
    for origin in ("https://evil.example", "https://app.example.evil", "http://app.example", "null", "https://app.exampl"):
        status, headers, _ = raw(api, head_of(api, "OPTIONS", "/agents", {**asked, "Origin": origin}, False))
        assert status == 405 and "access-control-allow-origin" not in headers


# ---- limits ----

def test_rate_limits(tmp_path):
    roles = Roles(tmp_path, Nobody, Nobody, LLM_PROVIDERS="openai", RATE_LIMITS="read=5,write=3")
    roles.start("api")
    try:
        roles.login()
        answers = [raw(roles, head_of(roles, "GET", "/agents", {"Connection": "close"})) for _ in range(7)]
        assert [a[0] for a in answers[:5]] == [200] * 5 and answers[6][0] == 429
        assert 1 <= int(answers[6][1]["retry-after"]) <= 60 and answers[6][1]["x-ratelimit-limit"] == "5"
        assert code_of(answers[6]) == "too_many_requests"
        assert roles.call("POST", "/agents", {"name": "n", "prompt_text": "p"})[0] == 201  # another class
        assert all(request("GET", roles.api + p)[0] == 200 for p in ("/health", "/ready") * 10)
        roles.token = None
        request("POST", roles.api + "/auth/signup", {"email": "two@example.com", "password": "correct horse"})
        token = request("POST", roles.api + "/auth/login", {"email": "two@example.com", "password": "correct horse"})[1]["access_token"]
        assert request("GET", roles.api + "/agents", token=token)[0] == 200  # another user
    finally:
        roles.stop()


def test_metrics_are_not_for_everybody(api):
    assert api.call("GET", "/agents")[0] == 200
    status, text = request("GET", api.api + "/metrics")
    assert status == 200
    for name in ("relayx_http_requests_total{method=\"GET\",route=\"/agents\",status=\"200\"}", "relayx_http_request_seconds_bucket", "relayx_store_up 1",
                 "relayx_live_streams 0", "relayx_store_connections", "process_resident_memory_bytes"):
        assert name in text, name
    assert request("GET", api.api + "/metrics", headers={"X-Forwarded-For": "1.2.3.4"})[0] == 403


def test_tickets_stay_out_of_the_log(api):
    raw(api, head_of(api, "GET", "/calls/0190a0b0-0000-7000-8000-000000000001/events?ticket=very-secret-ticket", {"Connection": "close"}, False))
    wait_for(lambda: "/events status=401" in api.log("api"), what="the access log's line")
    assert "very-secret-ticket" not in (api.tmp / "api.log").read_text()


def test_slow_and_many_connections_harm_nobody(api):
    """Half-sent requests hold a connection each and nothing else; one address has a cap of them."""
    held = []
    try:
        for _ in range(200):
            s = socket.create_connection(("127.0.0.1", api.api_port), 5)
            s.sendall(b"GET /agents HTTP/1.1\r\nHost: x\r\nX-Slow: ")
            held.append(s)
        assert api.call("GET", "/agents")[0] == 200
    finally:
        for s in held:
            s.close()
    well(api)


def test_parallel_requests_of_every_kind(api):
    problems = []

    def work(seed):
        for i in range(20):
            path = ("/agents", "/auth/me", "/calls", "/nothing", "/agents/x", "/health", "/openapi.json")[(seed + i) % 7]
            status = request("GET", api.api + path, token=api.token)[0]
            if status not in (200, 404):
                problems.append((path, status))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(12)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert not problems
    well(api)


def test_what_is_under_way_is_answered_when_the_api_ends(tmp_path):
    roles = Roles(tmp_path, Nobody, Nobody, LLM_PROVIDERS="openai")
    roles.start("api")
    roles.login()
    body = json.dumps({"name": "n", "prompt_text": "p"}).encode()
    head = head_of(roles, "POST", "/agents", {"Content-Type": "application/json", "Content-Length": len(body)})
    with socket.create_connection(("127.0.0.1", roles.api_port), 10) as s:
        s.sendall(head + body[:5])
        wait_for(lambda: "requests_active 2" in request("GET", roles.api + "/metrics")[1], what="the request")
        roles.processes["api"].terminate()
        wait_for(lambda: "api.stopping" in roles.log("api"), what="the end")
        s.sendall(body[5:])
        answer = s.recv(65536)
    assert answer.startswith(b"HTTP/1.1 201 ") and b"connection: close" in answer.lower()
    assert roles.processes["api"].wait(10) == 0
    roles.stop()
