"""Webhooks: signed deliveries of facts, tried again, replayed, never to an inside address."""

import hashlib
import hmac
import http.server
import json
import ssl
import subprocess
import threading
import time
import uuid

import pytest

from conftest import free_port, request
from postgres import postgres  # noqa: F401
from roles import Roles, wait_until
from test_api import Carrier


class Receiver:
    """Keeps what it is sent; answers `status`."""

    def __init__(self):
        self.status, self.got, self.redirect = 200, [], None
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *args):
                pass

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((dict(self.headers), body))
                self.send_response(receiver.status)
                if receiver.redirect:
                    self.send_header("Location", receiver.redirect)
                self.end_headers()
                self.wfile.write(b"thanks \xff\x00")

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", free_port()), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/hook"

    def wait(self, count=1, seconds=15):
        assert wait_until(lambda: len(self.got) >= count, seconds), "nothing came"
        return self.got[count - 1]


@pytest.fixture(scope="module")
def receiver():
    made = Receiver()
    yield made
    made.server.shutdown()


@pytest.fixture(scope="module")
def secure(tmp_path_factory):
    """Has a certificate that nobody signed, at an address that may be reached."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=127.0.0.1",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", folder / "key", "-out", folder / "cert"], check=True, capture_output=True)
    made = Receiver()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert", folder / "key")
    made.server.socket = context.wrap_socket(made.server.socket, server_side=True, do_handshake_on_connect=False)
    made.url = made.url.replace("http:", "https:")
    yield made
    made.server.shutdown()


@pytest.fixture(scope="module")
def inside():
    """Listens where nobody may be sent to."""
    made = Receiver()
    yield made
    made.server.shutdown()


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def roles(request, tmp_path_factory, receiver, secure):
    carrier, where, server = Carrier(), {}, None
    if request.param == "postgres":
        server = request.getfixturevalue("postgres")
        where = {"DATABASE_URL": server.database(), "SECRETS_KEY": "k" * 40}
    made = Roles(tmp_path_factory.mktemp("webhooks"), carrier, carrier, LLM_PROVIDERS="openai",
                 OUTBOUND_ALLOW=f"127.0.0.1:{receiver.port},127.0.0.1:{secure.port}", **where)

    def sql(text):
        if server:
            return server.psql(where["DATABASE_URL"], text)
        with made.database() as db:
            return str(db.execute(text).fetchall())

    made.sql = sql
    made.carrier = carrier
    made.start("api")
    made.start("worker")
    yield made
    made.stop()
    carrier.server.shutdown()


@pytest.fixture
def hook(roles, receiver):
    receiver.status, receiver.redirect = 200, None
    receiver.got.clear()
    status, made = roles.call("POST", "/webhooks", {"url": receiver.url, "events": ["call.failed", "call.ended", "contact.opted_out"]})
    assert status == 201, made
    yield made
    roles.call("DELETE", f"/webhooks/{made['id']}")


def deliveries(roles, hook, **query):
    return roles.call("GET", f"/webhooks/{hook['id']}/deliveries?" + "&".join(f"{k}={v}" for k, v in query.items()))[1]


def signed(headers, body, secret):
    parts = dict(p.split("=", 1) for p in headers["X-RelayX-Signature"].split(","))
    assert abs(int(parts["t"]) - time.time()) < 60
    return hmac.compare_digest(parts["v1"], hmac.new(secret.encode(), parts["t"].encode() + b"." + body, hashlib.sha256).hexdigest())


def test_webhook(roles, hook):
    path = f"/webhooks/{hook['id']}"
    assert hook["secret"].startswith("whsec_") and len(hook["secret"]) > 40
    kept = roles.sql(f"SELECT secret FROM webhooks WHERE id = '{hook['id']}'")
    assert kept and hook["secret"] not in kept
    shown = roles.call("GET", path)[1]
    assert "secret" not in shown and shown == {k: v for k, v in hook.items() if k != "secret"}
    assert "secret" not in roles.call("GET", "/webhooks")[1][0]
    status, changed = roles.call("PUT", path, {"is_active": False, "events": ["call.started"], "description": "d"})
    assert status == 200 and changed["is_active"] is False and changed["events"] == ["call.started"]
    assert roles.call("POST", path + "/secret")[1]["secret"] != hook["secret"]
    for bad in ({"events": []}, {"events": ["x"]}, {"url": "ftp://example.com/"}, {"url": "x"}, {"is_active": 1}):
        assert roles.call("PUT", path, bad)[0] == 422, bad
    account = {"email": f"{uuid.uuid4()}@example.com", "password": "correct horse", "name": "Other"}
    request("POST", roles.api + "/auth/signup", account)
    token = request("POST", roles.api + "/auth/login", account)[1]["access_token"]
    for method, more, body in (("GET", "", None), ("PUT", "", {"description": "x"}), ("DELETE", "", None), ("POST", "/secret", None),
                               ("POST", "/test", None), ("GET", "/deliveries", None), ("POST", f"/deliveries/{hook['id']}/replay", None)):
        assert request(method, roles.api + path + more, body, token)[0] == 404, more


@pytest.mark.parametrize("url", [
    "http://127.0.0.1:{port}/", "http://localhost:{port}/", "http://[::1]:{port}/", "http://0x7f.1:{port}/", "http://2130706433:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/", "http://169.254.169.254/latest/meta-data/", "http://10.0.0.1/", "http://user:word@example.com/",
    "http://example.com:25/"])
def test_inside_addresses_are_refused(roles, inside, url):
    status, body = roles.call("POST", "/webhooks", {"url": url.format(port=inside.port), "events": ["call.ended"]})
    assert status == 422 and body["fields"][0]["field"] == "url", body
    assert not inside.got


def test_delivery(roles, receiver, hook):
    status, made = roles.call("POST", f"/webhooks/{hook['id']}/test")
    assert status == 202 and made["status"] == "pending" and made["event"] == "webhook.test"
    headers, body = receiver.wait()
    assert signed(headers, body, hook["secret"])
    assert headers["X-RelayX-Event"] == "webhook.test" and headers["X-RelayX-Delivery"] == made["id"]
    assert json.loads(body) == made["payload"]
    sent = wait_until(lambda: deliveries(roles, hook, status="delivered"))
    assert sent[0]["response_code"] == 200 and sent[0]["attempts"] == 1 and sent[0]["response_excerpt"] == "thanks ?"
    assert isinstance(sent[0]["response_ms"], int) and sent[0]["next_attempt_at"] is None


def test_a_call_that_fails(roles, receiver, hook):
    roles.carrier.mode = "refuse"
    roles.call("POST", "/calls/outbound", {"agent_id": roles.agent(), "phone_number": "+12025550123"})
    headers, body = receiver.wait()
    event = json.loads(body)
    assert event["type"] == headers["X-RelayX-Event"] == "call.failed" and signed(headers, body, hook["secret"])
    call = event["data"]["call"]
    shown = roles.call("GET", f"/calls/{call['id']}")[1]
    assert call["status"] == "failed"
    later = {"updated_at", "outcome", "sentiment"}  # the analysis comes behind
    assert {k: shown[k] for k in call if k in shown and k not in later} == {k: v for k, v in call.items() if k in shown and k not in later}
    wait_until(lambda: deliveries(roles, hook, status="delivered"))
    assert len(deliveries(roles, hook)) == 1


def again_now(roles):
    roles.sql("UPDATE jobs SET run_at_ms = 0 WHERE kind = 'webhook' AND status = 'queued'")


def test_tried_again_and_replayed(roles, receiver, hook):
    receiver.status = 500
    made = roles.call("POST", f"/webhooks/{hook['id']}/test")[1]
    receiver.wait()
    first = wait_until(lambda: [d for d in deliveries(roles, hook) if d["attempts"] == 1])[0]
    assert first["status"] == "pending" and first["response_code"] == 500 and first["error"] == "the answer was HTTP 500"
    assert first["next_attempt_at"] > first["updated_at"]
    receiver.status = 204
    again_now(roles)
    headers, body = receiver.wait(2)
    assert body == receiver.got[0][1] and headers["X-RelayX-Delivery"] == made["id"]
    assert wait_until(lambda: deliveries(roles, hook, status="delivered"))[0]["attempts"] == 2
    status, replayed = roles.call("POST", f"/webhooks/{hook['id']}/deliveries/{made['id']}/replay")
    assert status == 202 and replayed["replay_of"] == made["id"]
    headers, body = receiver.wait(3)
    assert headers["X-RelayX-Delivery"] == replayed["id"] and body == receiver.got[0][1]


def test_dead_after_seven(roles, receiver, hook):
    receiver.status = 503
    roles.call("POST", f"/webhooks/{hook['id']}/test")
    for count in range(1, 8):
        receiver.wait(count)
        assert wait_until(lambda: deliveries(roles, hook)[0]["attempts"] == count)
        again_now(roles)
    dead = wait_until(lambda: deliveries(roles, hook, status="dead"))[0]
    assert dead["attempts"] == 7 and dead["next_attempt_at"] is None


def test_gone_is_dead_at_once(roles, receiver, hook):
    receiver.status = 410
    roles.call("POST", f"/webhooks/{hook['id']}/test")
    assert wait_until(lambda: deliveries(roles, hook, status="dead"))[0]["attempts"] == 1


def test_redirects_stay_outside(roles, receiver, hook, inside):
    for status in (302, 307):
        receiver.status, receiver.redirect = status, inside.url
        made = roles.call("POST", f"/webhooks/{hook['id']}/test")[1]
        row = wait_until(lambda: [d for d in deliveries(roles, hook) if d["id"] == made["id"] and d["attempts"]])[0]
        assert row["status"] == "pending" and ("no public address" in row["error"] or row["error"] == "the answer was HTTP 302")
    assert not inside.got


def test_tls_is_verified(roles, hook, secure):
    roles.call("PUT", f"/webhooks/{hook['id']}", {"url": secure.url})
    roles.call("POST", f"/webhooks/{hook['id']}/test")
    row = wait_until(lambda: [d for d in deliveries(roles, hook) if d["attempts"]])[0]
    assert row["error"] == "the TLS certificate of 127.0.0.1 is not valid" and not secure.got
