"""Knowledge: texts, answers, pages, files; what a call finds; and that nobody reads our inside through a URL."""
import hashlib
import http.server
import json
import pathlib
import re
import socket
import threading
import urllib.error
import urllib.request
import uuid

import pytest

from conftest import request
from roles import Roles, wait_until
from test_calls import QUESTION, System
from providers import Stub

FILES = pathlib.Path(__file__).resolve().parents[1] / "unit" / "extract" / "files"
RATES = "heavy=6000,write=6000"  # a suite asks more often than a user
LONG = " ".join(f"Part number {n} of the shelf is a plain thing of steel." for n in range(60))


class Server:
    """Any handler on a free port of 127.0.0.1."""

    def __init__(self, handler):
        handler.log_message = lambda *_: None
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def close(self):
        self.server.shutdown()


def embed(text):
    """A vector by the words alone: texts that share words are near."""
    vector = [0.0] * 256
    for word in re.findall(r"[a-z]{3,}", text.lower()):
        vector[int(hashlib.sha256(word.rstrip("s").encode()).hexdigest(), 16) % 256] = 1.0
    return vector if any(vector) else [1.0] + [0.0] * 255


@pytest.fixture(scope="module")
def embeddings():
    class Handler(http.server.BaseHTTPRequestHandler):
        seen, broken = [], False

        def do_POST(self):
            wish = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            texts = wish["input"] if isinstance(wish["input"], list) else [wish["input"]]
            Handler.seen += texts
            body = json.dumps({"data": [{"index": i, "embedding": embed(t)} for i, t in enumerate(texts)]}).encode()
            self.send_response(500 if Handler.broken else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    made = Server(Handler)
    made.handler = Handler
    yield made
    made.close()


@pytest.fixture(scope="module")
def pages():
    """A web site; /to?URL redirects there."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self, body, kind="text/html; charset=utf-8", status=200, **headers):
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self):
            path, _, query = self.path.partition("?")
            if path == "/page":
                self.answer((FILES / "page.html").read_bytes())
            elif path == "/latin":
                self.answer("<title>Caf\xe9</title><p>Ol\xe9 and cr\xeape".encode("latin-1"), "text/html; charset=iso-8859-1")
            elif path == "/pdf":
                self.answer((FILES / "hours.pdf").read_bytes(), "application/pdf")
            elif path == "/raw/list.csv":
                self.answer(b"Part,Price\nTire,40\n", "text/plain")
            elif path == "/picture":
                self.answer(b"\x89PNG\r\n\x1a\n", "image/png")
            elif path == "/to":
                self.answer(b"", status=302, Location=query)
            elif path == "/hops":
                n = int(query)
                self.answer(b"", status=302, Location=f"/hops?{n - 1}" if n > 1 else "/page")
            elif path == "/endless":
                self.send_response(200)
                self.send_header("Content-Type", "text/plain")
                self.end_headers()
                try:
                    for _ in range(40):
                        self.wfile.write(b"word " * (1 << 18))
                except OSError:
                    pass
            else:
                self.answer(b"not here", status=404)

    made = Server(Handler)
    yield made
    made.close()


class NoCarrier:
    url, account, token = "http://127.0.0.1:9", "AC" + "1" * 32, "t"


@pytest.fixture(scope="module")
def roles(tmp_path_factory, embeddings, pages):
    made = Roles(tmp_path_factory.mktemp("knowledge"), NoCarrier, NoCarrier, OPENAI_BASE_URL=embeddings.url,
                 EMBED_PROVIDERS="openai", OUTBOUND_ALLOW=f"127.0.0.1:{pages.port}", RATE_LIMITS=RATES)
    made.start("api")
    made.start("worker")
    yield made
    made.stop()


@pytest.fixture
def agent(roles):
    return roles.agent()


def upload(roles, fields, name, data, path="/api/knowledge/upload"):
    if not roles.token:
        roles.login()
    mark = "----relayxtest"
    parts = [f'--{mark}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n'.encode()
             for k, v in fields.items()]
    if name is not None:
        parts.append(f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
                     "Content-Type: application/octet-stream\r\n\r\n".encode() + data + b"\r\n")
    ask = urllib.request.Request(
        roles.api + path, b"".join(parts) + f"--{mark}--\r\n".encode(),
        {"Content-Type": f"multipart/form-data; boundary={mark}", "Authorization": "Bearer " + roles.token})
    try:
        with urllib.request.urlopen(ask, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def find(roles, agent, words):
    status, found = roles.call("GET", f"/api/agents/{agent}/knowledge/search?q=" + urllib.request.quote(words))
    assert status == 200, found
    return found


# ---- entries ----

def test_an_entry_from_birth_to_death(roles, agent):
    status, made = roles.call("POST", "/api/knowledge",
                              {"agent_id": agent, "title": "Prices", "content": "Brakes cost ninety dollars."})
    assert status == 201 and made["source_type"] == "manual" and made["source_url"] is None
    path = "/api/knowledge/" + made["id"]
    assert roles.call("GET", path) == (200, made)
    status, changed = roles.call("PUT", path, {"content": "Brakes cost eighty dollars."})
    assert status == 200 and changed["content"] == "Brakes cost eighty dollars." and changed["title"] == "Prices"
    assert changed["updated_at"] > made["updated_at"] and changed["created_at"] == made["created_at"]
    status, answer = roles.call("PUT", path, {"questions": ["what do brakes cost"]})
    assert status == 200 and answer["source_type"] == "answer"
    assert roles.call("PUT", path, {"questions": []})[0] == 422
    assert roles.call("PUT", path, {"title": " "})[0] == 422
    status, rows = roles.call("GET", f"/api/agents/{agent}/knowledge")
    assert status == 200 and [row["id"] for row in rows] == [made["id"]] and rows[0]["length"] == 27
    assert roles.call("DELETE", path)[0] == 200
    for method, body in (("GET", None), ("PUT", {"title": "x"}), ("DELETE", None)):
        assert roles.call(method, path, body)[0] == 404
    assert roles.call("GET", f"/api/agents/{agent}/knowledge") == (200, [])


def test_only_whoever_owns_it(roles, agent):
    _, made = roles.call("POST", "/api/knowledge", {"agent_id": agent, "title": "T", "content": "C"})
    own, roles.token = roles.token, None
    try:
        account = {"email": "eve@example.com", "password": "secret-12"}
        request("POST", roles.api + "/auth/signup", account)
        roles.token = request("POST", roles.api + "/auth/login", account)[1]["access_token"]
        nobody = str(uuid.uuid4())
        for entry in (made["id"], nobody):
            for method, body in (("GET", None), ("PUT", {"title": "x"}), ("DELETE", None)):
                assert roles.call(method, "/api/knowledge/" + entry, body)[0] == 404
        for one in (agent, nobody):
            assert roles.call("GET", f"/api/agents/{one}/knowledge")[0] == 404
            assert roles.call("GET", f"/api/agents/{one}/knowledge/search?q=x")[0] == 404
            assert roles.call("POST", "/api/knowledge", {"agent_id": one, "title": "T", "content": "C"})[0] == 404
            assert roles.call("POST", "/api/knowledge/from-url", {"agent_id": one, "url": "http://example.com/"})[0] == 404
            assert upload(roles, {"agent_id": one}, "a.txt", b"x")[0] == 404
    finally:
        roles.token = own


def test_pages_of_the_list(roles, agent):
    for n in range(5):
        roles.call("POST", "/api/knowledge", {"agent_id": agent, "title": f"T{n}", "content": "C" * 12000})
    first = urllib.request.urlopen(urllib.request.Request(
        f"{roles.api}/api/agents/{agent}/knowledge?limit=3", headers={"Authorization": "Bearer " + roles.token}))
    rows = json.load(first)
    assert [row["title"] for row in rows] == ["T4", "T3", "T2"] and first.headers["X-Total-Count"] == "5"
    assert len(rows[0]["content"]) == 10000 and rows[0]["length"] == 12000
    link = re.search("<(.*?)>", first.headers["Link"]).group(1)
    assert [row["title"] for row in roles.call("GET", link)[1]] == ["T1", "T0"]


def test_the_list_by_words(roles, agent):
    for title, content in (("Prices", "Brakes cost ninety dollars."), ("Hours", "We close on Sundays."),
                           ("Winter", "Winter tires cost extra.")):
        roles.call("POST", "/api/knowledge", {"agent_id": agent, "title": title, "content": content})

    def titles(words):
        status, rows = roles.call("GET", f"/api/agents/{agent}/knowledge?limit=9&q=" + urllib.request.quote(words))
        assert status == 200, rows
        return [row["title"] for row in rows]

    assert titles("costs") == ["Winter", "Prices"]
    assert titles("the cost of a brake") == ["Prices"]
    assert titles("sunday") == ["Hours"] and titles("sunday tires") == [] and titles("the") == []
    assert roles.call("GET", f"/api/agents/{agent}/knowledge?q=")[0] == 422


# ---- files and pages ----

@pytest.mark.parametrize("name,title,words", [
    ("page.html", "Miller's Bakery & Café", "sourdough"), ("prices.docx", "Price list", "90 dollars"),
    ("hours.pdf", "hours", "We open at nine")])
def test_files(roles, agent, name, title, words):
    status, made = upload(roles, {"agent_id": agent}, "C:\\fakepath\\" + name, (FILES / name).read_bytes())
    assert status == 201, made
    assert made["title"] == title and words in made["content"] and made["source_type"] == "file"
    assert made["source_url"] is None


def test_files_made_here(roles, agent):
    status, made = upload(roles, {"agent_id": agent, "title": "Mine"}, "a.md", b"# Rules\n\nNo *smoking*.")
    assert status == 201 and made["title"] == "Mine" and made["content"] == "Rules\n\nNo smoking."
    status, made = upload(roles, {"agent_id": agent}, "list.csv", b"Part,Price\nTire,40\n")
    assert status == 201 and made["title"] == "list" and made["content"] == "Part: Tire, Price: 40."
    status, made = upload(roles, {"agent_id": agent}, "u.txt", "Grüße".encode("utf-16"))
    assert status == 201 and made["content"] == "Grüße"


def test_a_large_file_goes_through_the_disk(roles, agent):
    page = (FILES / "page.html").read_bytes().replace(b"<body>", b"<body><!--" + b"x" * (4 << 20) + b"-->")
    status, made = upload(roles, {"title": "Before", "agent_id": agent}, "page.html", page)
    assert status == 201 and made["title"] == "Before" and "sourdough" in made["content"]
    assert upload(roles, {"agent_id": agent}, "a.html", b"<p>x" + b" " * (6 << 20))[0] == 422


@pytest.mark.parametrize("name,data,status,words", [
    ("locked.pdf", None, 422, "encrypted"), ("empty.pdf", None, 422, "no text"), ("bomb.docx", None, 422, "larger"),
    ("torn.docx", None, 422, "broken"), ("entities.docx", None, 422, "broken"), ("other.docx", None, 422, "Word"),
    ("a.pdf", b"%PDF-1.4 and then nothing", 422, "broken"), ("a.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 415, "encrypted"),
    ("a.exe", b"MZ", 415, "txt, md"), ("a.txt", b"", 422, "no text"), ("a.txt", bytes(range(1, 32)) * 90, 422, "no text")])
def test_bad_files(roles, agent, name, data, status, words):
    got, answer = upload(roles, {"agent_id": agent}, name, data if data is not None else (FILES / name).read_bytes())
    assert got == status and words in json.dumps(answer), answer


def test_bad_uploads(roles, agent):
    assert upload(roles, {"agent_id": agent}, None, b"")[0] == 422
    assert upload(roles, {"agent_id": "x"}, "a.txt", b"x")[0] == 422
    assert upload(roles, {}, "a.txt", b"x")[0] == 422
    assert upload(roles, {"agent_id": agent, "file": "not a file"}, None, b"")[0] == 422
    assert roles.call("POST", "/api/knowledge/upload", {"agent_id": agent})[0] == 415
    assert upload(roles, {"agent_id": agent}, "a.txt", b"x" * (21 << 20))[0] == 413


def test_pages(roles, agent, pages):
    def take(path, **more):
        return roles.call("POST", "/api/knowledge/from-url", {"agent_id": agent, "url": pages.url + path, **more})

    status, made = take("/page")
    assert status == 201, made
    assert made["source_type"] == "url" and made["source_url"] == pages.url + "/page"
    assert made["title"] == "Miller's Bakery & Café" and "sourdough" in made["content"]
    assert "Jobs" not in made["content"] and "cookies" not in made["content"]
    assert take("/page", title="Mine")[1]["title"] == "Mine"
    assert take("/latin")[1]["content"] == "Olé and crêpe"
    assert take("/pdf")[1]["content"].startswith("Opening hours")
    assert take("/raw/list.csv?x=1")[1]["content"] == "Part: Tire, Price: 40."
    assert take("/hops?5")[0] == 201
    assert take("/hops?6")[0] == 502
    assert take("/missing")[0] == 502
    for path in ("/picture", "/endless"):
        status, answer = take(path)
        assert status == 422 and answer["fields"][0]["field"] == "url", answer


# ---- what a call finds ----

def test_long_texts_are_embedded_by_the_worker(roles, agent, embeddings):
    text = LONG + " The winter festival is held in Reykjavik each February. " + LONG
    assert roles.call("POST", "/api/knowledge", {"agent_id": agent, "title": "Shelf", "content": text})[0] == 201

    def found():
        best = find(roles, agent, "when is the winter festival")["passages"]
        return best if best and best[0]["similarity"] else None

    best = wait_until(found, 15)
    assert best and "Reykjavik" in best[0]["text"] and best[0]["given"] and len(best[0]["text"]) <= 500
    assert best[0]["words"] and best[0]["title"] == "Shelf"
    assert sum(p["given"] for p in best) <= 3
    assert any(text.startswith("Shelf. Part number") for text in embeddings.handler.seen)


def test_answers_say_why_not(roles, agent):
    roles.call("POST", "/api/knowledge", {"agent_id": agent, "title": "Price", "content": "An oil change is forty dollars.",
                                          "questions": ["how much is an oil change"]})
    answer = find(roles, agent, "How much is an oil change?")["answer"]
    assert answer["spoken"] and answer["score"] == 1 and answer["why_not"] is None
    answer = find(roles, agent, "How much is an oil change for 3 trucks?")["answer"]
    assert not answer["spoken"] and answer["why_not"]
    assert find(roles, agent, "stop calling me")["answer"]["spoken"] is False


def test_small_texts_always_stand_in_the_prompt(roles, agent):
    roles.call("POST", "/api/knowledge", {"agent_id": agent, "title": "Parking", "content": "Parking is free."})
    found = find(roles, agent, "where can I park")
    assert found["always"] == ["Parking is free."] and found["passages"] == [] and found["answer"] is None


def test_modes(roles):
    agent = roles.agent(knowledge_mode="off")
    roles.call("POST", "/api/knowledge", {"agent_id": agent, "title": "Shelf", "content": LONG})
    assert find(roles, agent, "part of the shelf")["passages"] == []
    assert roles.call("PUT", "/agents/" + agent, {"knowledge_mode": "passages"})[0] == 200
    assert find(roles, agent, "part of the shelf")["passages"]


def test_without_the_embedding_server(roles, agent, embeddings):
    """Words alone find it; the vectors come when the server is back."""
    embeddings.handler.broken = True
    try:
        text = LONG + " The winter festival is held in Reykjavik. " + LONG
        assert roles.call("POST", "/api/knowledge", {"agent_id": agent, "title": "Shelf", "content": text})[0] == 201
        found = find(roles, agent, "where is the winter festival")
        assert not found["embedded"] and "Reykjavik" in found["passages"][0]["text"]
    finally:
        embeddings.handler.broken = False
    assert wait_until(lambda: find(roles, agent, "winter festival")["passages"][0]["similarity"], 20, 0.3)


@pytest.mark.parametrize("words", ["", " ", "%00", "x" * 1001])
def test_bad_searches(roles, agent, words):
    status = roles.call("GET", f"/api/agents/{agent}/knowledge/search?q=" + (words if "%" in words else urllib.request.quote(words)))[0]
    assert status == 422


@pytest.mark.parametrize("words", ["\" OR \"", "') OR 1=1 --", "title: x NEAR(", "🦆", "a AND NOT b", "*", "\\", "的 是", "ﬁ‮"])
def test_odd_searches(roles, agent, words):
    roles.call("POST", "/api/knowledge", {"agent_id": agent, "title": "Shelf", "content": LONG})
    find(roles, agent, words)


def test_a_call_names_its_passages(start):
    stub = Stub()
    try:
        system = System(start, stub)
        system.ask("POST", "/api/knowledge", {"agent_id": system.agent, "title": "Shelf",
                                              "content": LONG + " The golden part will cost five dollars. " + LONG})
        system.callee(QUESTION + "hangup\n")
        call = system.wait_end(system.dial())
        rows = [row for row in call["transcripts"] if row["metadata"].get("source") == "llm"]
        assert rows and rows[0]["metadata"]["passages"], call["transcripts"]
        first = rows[0]["metadata"]["passages"][0]
        assert first["title"] == "Shelf" and first["score"] > 0.5 and isinstance(first["chunk"], int)
        assert uuid.UUID(first["id"])
        assert system.program.stop() == 0
    finally:
        stub.close()


# ---- nobody reads our inside ----

@pytest.fixture(scope="module")
def closed(tmp_path_factory):
    """OUTBOUND_ALLOW is empty."""
    made = Roles(tmp_path_factory.mktemp("closed"), NoCarrier, NoCarrier, OUTBOUND_ALLOW="", RATE_LIMITS=RATES)
    made.start("api")
    made.target = made.agent()
    yield made
    made.stop()


class Canary:
    """A port of this machine that must never be reached, on every address."""

    def __init__(self):
        self.seen = []
        six = socket.has_dualstack_ipv6()
        self.listener = socket.create_server(("", 0), family=socket.AF_INET6 if six else socket.AF_INET,
                                             dualstack_ipv6=six)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, peer = self.listener.accept()
            except OSError:
                return
            self.seen.append(peer)
            client.close()


@pytest.fixture(scope="module")
def canary():
    made = Canary()
    yield made
    made.listener.close()


HOSTS = ["127.0.0.1", "127.1", "0x7f.1", "0x7f000001", "2130706433", "017700000001", "0177.0.0.1", "127.0.0.1.",
         "127.255.255.254", "0.0.0.0", "0", "localhost", "LOCALHOST", "localhost.", "sub.localhost", "[::1]", "[::]",
         "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]",
         "[fe80::1]", "[fe80::1%25lo]", "[fd00::1]", "[fc00::1]", "[fd00:ec2::254]", "169.254.169.254", "0xa9fea9fe", "2852039166",
         "169.254.170.2", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "100.100.100.200",
         "192.0.0.192", "198.18.0.1", "224.0.0.1", "255.255.255.255", "240.0.0.1", "１２７.０.０.１", "①②⑦.0.0.1",
         "127。0。0。1", "%31%32%37.0.0.1", "metadata.google.internal", "ip6-localhost"]


@pytest.mark.parametrize("host", HOSTS + [socket.gethostname()])
def test_no_address_of_the_inside(closed, canary, host):
    url = f"http://{host}:{canary.port}/"
    status, answer = closed.call("POST", "/api/knowledge/from-url", {"agent_id": closed.target, "url": url})
    assert status == 422, answer
    assert answer["fields"][0]["field"] == "url"
    assert not canary.seen
    assert not re.search(r"refused|timed out|closed|unreachable|resolve", answer["detail"]), answer


@pytest.mark.parametrize("url", [
    "file:///etc/passwd", "FILE:///etc/passwd", "file://localhost/etc/passwd", "gopher://127.0.0.1:6379/_INFO", "dict://127.0.0.1:11211/stat",
    "ftp://127.0.0.1/", "ldap://127.0.0.1/", "data:text/html,hello", "jar:http://127.0.0.1!/", "javascript:alert(1)",
    "http://example.com@127.0.0.1:{port}/", "http://user:pw@127.0.0.1:{port}/", "http://127.0.0.1:{port}\\@example.com/",
    "http://example.com:80@127.0.0.1:{port}/", "http://127.0.0.1:{port}#@example.com/", "http://127.0.0.1:{port}?@example.com",
    "http:127.0.0.1:{port}", "http:///127.0.0.1:{port}/", "//127.0.0.1:{port}/", "http://[::1]:{port}", "http://0x7f.1:{port}",
    "http://127.0.0.1:{port}/\r\nX: y", "http://", "http://:80/", "example.com", "http://exa mple.com/", " http://127.0.0.1:{port}/",
    "http://127.0.0.1:25/", "http://127.0.0.1:99999/", "http://127.0.0.1:-1/"])
def test_no_tricks(closed, canary, url):
    status, answer = closed.call("POST", "/api/knowledge/from-url", {
        "agent_id": closed.target, "url": url.replace("{port}", str(canary.port))})
    assert status == 422, answer
    assert not canary.seen


@pytest.mark.parametrize("to", [
    "http://127.0.0.1:{port}/", "http://localhost:{port}/", "http://[::1]:{port}/", "http://0x7f.1:{port}/", "//127.1:{port}/",
    "http://169.254.169.254/latest/meta-data/", "file:///etc/passwd", "gopher://127.0.0.1:{port}/_x", "http://u:p@127.0.0.1:{port}/",
    "http://10.0.0.1/", "http://2130706433:{port}/"])
def test_no_redirect_to_the_inside(roles, agent, pages, canary, to):
    """The first page may be read (OUTBOUND_ALLOW names it), where it leads to may not."""
    to = to.replace("{port}", str(canary.port))
    status, answer = roles.call("POST", "/api/knowledge/from-url", {"agent_id": agent, "url": f"{pages.url}/to?{to}"})
    assert status in (422, 502), answer
    assert not canary.seen
    assert roles.call("GET", f"/api/agents/{agent}/knowledge") == (200, [])
