"""RECORDINGS_URL=s3://…: recordings are moved to an S3 store after the call, read from there, and removed there. The store is a double
that checks every signature."""
import http.client
import io
import json
import os
import pathlib
import types
import uuid
import wave

import pytest

from conftest import request
from providers import Stub
from roles import Roles, wait_until
from s3 import NOTHING, S3, signature
from test_calls import QUESTION, System

CARRIER = types.SimpleNamespace(url="http://127.0.0.1:9", account="AC" + "2" * 32, token="a-token-of-tests")
RATES = "heavy=6000,write=6000,read=60000"


@pytest.fixture(scope="module")
def s3():
    made = S3()
    yield made
    made.close()


@pytest.fixture(scope="module")
def roles(tmp_path_factory, s3):
    stub = Stub()
    made = Roles(tmp_path_factory.mktemp("s3"), stub, CARRIER, LLM_PROVIDERS="openai", RATE_LIMITS=RATES, **s3.environment())
    made.start("api")
    made.agent_id = made.agent()
    made.user_id = made.call("GET", "/auth/me")[1]["id"]
    made.start("worker")
    yield made
    made.stop()
    stub.close()


@pytest.fixture
def database(roles):
    made = roles.database()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def sane(s3):
    s3.size_lie, s3.break_after, s3.status = 0, None, None
    s3.gate.set()
    del s3.requests[:], s3.refused[:]
    yield
    if not s3.server:
        s3.up()


def raw(roles, method, path, headers=None, token=True):
    link = http.client.HTTPConnection("127.0.0.1", roles.api_port, timeout=20)
    link.request(method, path, headers={**({"Authorization": "Bearer " + roles.token} if token else {}), **(headers or {})})
    reply = link.getresponse()
    body = reply.read()
    link.close()
    return reply.status, dict(reply.getheaders()), body


def over(roles, database, recording):
    """A call that is over, as the gateway writes it."""
    call_id = str(uuid.uuid4())
    recording = recording.replace("ID", call_id)
    with database:
        database.execute("INSERT INTO calls (id, user_id, agent_id, phone_number, status, created_at, ended_at, recording)"
                         " VALUES (?, ?, ?, '+12025550123', 'completed', '2026-01-01T00:00:00.000Z',"
                         " '2026-01-01T00:00:30.000Z', ?)", (call_id, roles.user_id, roles.agent_id, recording))
    return call_id, recording


def job(database, call_id, path):
    with database:
        database.execute("INSERT INTO jobs (id, kind, unique_key, payload, run_at_ms) VALUES (?, 'upload', ?, ?, 0)",
                         (str(uuid.uuid4()), "upload:" + call_id, json.dumps({"call_id": call_id, "path": path})))


def job_of(database, call_id):
    return database.execute("SELECT status, attempts, error FROM jobs WHERE unique_key = ?", ("upload:" + call_id,)).fetchone()


def recorded(roles, database, content):
    """A call with a file and the job that moves it."""
    call_id, path = over(roles, database, str(roles.tmp / "data" / "recordings" / "ID.wav"))
    pathlib.Path(path).write_bytes(content)
    job(database, call_id, path)
    return call_id, pathlib.Path(path)


def key_of(call_id):
    return f"rec/2026/{call_id}.wav"


def where(roles, call_id):
    return roles.call("GET", "/calls/" + call_id)[1]["recording"]


def kept(roles, database, s3, content):
    """A call whose recording is in the store already."""
    call_id, _ = over(roles, database, s3.recordings("rec/2026/ID.wav"))
    s3.objects[key_of(call_id)] = content
    return call_id


def test_the_double_knows_signatures():
    """The example of AWS's own description (GET Object)."""
    headers = {"host": "examplebucket.s3.amazonaws.com", "range": "bytes=0-9", "x-amz-content-sha256": NOTHING,
               "x-amz-date": "20130524T000000Z"}
    assert signature(S3.SECRET, "GET", "/test.txt", "", headers, sorted(headers), NOTHING, "us-east-1") == (
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")


def test_a_whole_call_is_moved(start, run, s3, tmp_path):
    stub = Stub()
    system = System(lambda *args: start(*args, env=s3.environment()), stub)
    system.callee(QUESTION + "hangup\n")
    call_id = system.dial()
    system.wait_end(call_id)
    call = system.wait_until(call_id, lambda call: call["recording"].startswith("s3://"), 20, "the upload")
    assert call["recording"] == s3.recordings(f"rec/2026/{call_id}.wav")
    assert wait_until(lambda: not list((tmp_path / "d" / "recordings").iterdir()), 5)
    assert s3.count("PUT") == 1 and not s3.refused
    status, body = request("GET", f"{system.api}{call['recording_url']}", token=system.token)
    content = s3.objects[key_of(call_id)]
    with wave.open(io.BytesIO(content)) as recording:
        assert recording.getnchannels() == 2 and recording.getnframes() > 8000
    link = http.client.HTTPConnection(system.api.split("//")[1], timeout=10)
    link.request("GET", call["recording_url"], headers={"Authorization": "Bearer " + system.token})
    reply = link.getresponse()
    assert status == reply.status == 200 and reply.headers["Content-Type"] == "audio/wav" and reply.read() == content
    link.close()
    assert system.ask("DELETE", "/calls/" + call_id)["message"]
    assert wait_until(lambda: key_of(call_id) not in s3.objects, 10)
    assert system.program.stop() == 0
    stub.close()


def test_ranges_and_head(roles, database, s3):
    content = bytes(range(256)) * 4000
    call_id = kept(roles, database, s3, content)
    path = f"/calls/{call_id}/recording"
    for header, part in (("bytes=0-3", slice(0, 4)), ("bytes=1000000-", slice(1000000, None)), ("bytes=-7", slice(-7, None)),
                         ("bytes=500000-700000", slice(500000, 700001)), ("bytes=5-99999999", slice(5, None))):
        status, headers, body = raw(roles, "GET", path, {"Range": header})
        first = part.indices(len(content))[0]
        assert status == 206 and body == content[part], header
        assert headers["Content-Range"] == f"bytes {first}-{first + len(body) - 1}/{len(content)}"
        assert int(headers["Content-Length"]) == len(body)
    status, headers, body = raw(roles, "GET", path)
    assert status == 200 and body == content and headers["Accept-Ranges"] == "bytes"
    assert raw(roles, "GET", path, {"Range": "bytes=1024000-"})[0] == 416
    status, headers, body = raw(roles, "HEAD", path)
    assert status == 200 and headers["Content-Length"] == str(len(content)) and body == b""
    share = roles.call("POST", f"/calls/{call_id}/share")[1]
    assert raw(roles, "GET", share["path"] + "/recording", {"Range": "bytes=2-4"}, token=False)[2] == b"\2\3\4"
    assert not s3.refused


def test_a_large_one_is_not_held_in_memory(roles, database, s3):
    content = os.urandom(1 << 20) * 48
    call_id = kept(roles, database, s3, content)

    def peak_kb():
        status = pathlib.Path(f"/proc/{roles.processes['api'].pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])
    before = peak_kb()
    assert raw(roles, "GET", f"/calls/{call_id}/recording")[2] == content
    assert peak_kb() - before < 16 << 10
    del s3.objects[key_of(call_id)]


def test_the_store_goes_away_in_the_middle(roles, database, s3):
    call_id = kept(roles, database, s3, bytes(1 << 20))
    s3.break_after = 300000
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        raw(roles, "GET", f"/calls/{call_id}/recording")


def test_away_and_back(roles, database, s3):
    old = kept(roles, database, s3, b"RIFF old")
    s3.down()
    call_id, path = recorded(roles, database, b"RIFF" + bytes(5000))
    assert wait_until(lambda: (job_of(database, call_id) or [0, 0])[2], 10)  # it failed once
    assert path.exists() and where(roles, call_id) == str(path)
    assert raw(roles, "GET", f"/calls/{call_id}/recording", {"Range": "bytes=0-3"})[2] == b"RIFF"  # from the file
    status, headers, body = raw(roles, "GET", f"/calls/{old}/recording")
    assert status == 503 and json.loads(body)["code"] == "recordings_unavailable" and headers["Retry-After"]
    assert roles.call("DELETE", "/calls/" + old)[0] == 200
    s3.up()
    assert wait_until(lambda: where(roles, call_id).startswith("s3://"), 30)
    assert wait_until(lambda: not path.exists(), 5) and s3.objects[key_of(call_id)] == b"RIFF" + bytes(5000)
    assert wait_until(lambda: key_of(old) not in s3.objects, 30)  # what was deleted meanwhile
    assert raw(roles, "GET", f"/calls/{call_id}/recording", {"Range": "bytes=0-3"})[2] == b"RIFF"
    assert not s3.refused


def test_a_busy_store_is_asked_again(roles, database, s3):
    s3.status = 503
    call_id, path = recorded(roles, database, b"RIFF")
    assert wait_until(lambda: "SlowDown" in ((job_of(database, call_id) or [0, 0, ""])[2] or ""), 10)
    assert path.exists()
    s3.status = None
    assert wait_until(lambda: not path.exists(), 30)


def test_the_file_stays_until_the_object_has_its_size(roles, database, s3):
    s3.size_lie = -1
    call_id, path = recorded(roles, database, b"RIFF" * 9)
    assert wait_until(lambda: "35 bytes, the file 36" in ((job_of(database, call_id) or [0, 0, ""])[2] or ""), 10)
    assert path.exists() and where(roles, call_id) == str(path)
    s3.size_lie = 0
    assert wait_until(lambda: not path.exists(), 30) and where(roles, call_id).startswith("s3://")


def test_a_worker_that_died_is_carried_on(roles, database, s3):
    """After the row named the object and before the file was removed: it is not sent again."""
    call_id = kept(roles, database, s3, b"RIFF" * 3)
    path = roles.tmp / "data" / "recordings" / f"{call_id}.wav"
    path.write_bytes(b"RIFF" * 3)
    job(database, call_id, str(path))
    assert wait_until(lambda: not path.exists(), 10)
    assert wait_until(lambda: job_of(database, call_id)[0] == "done", 5)
    assert s3.count("PUT") == 0 and s3.count("HEAD") == 1


def test_a_worker_that_is_killed_while_it_sends(roles, database, s3):
    s3.gate.clear()
    call_id, path = recorded(roles, database, b"RIFF" * 5)
    assert wait_until(lambda: s3.count("PUT"), 10)
    roles.processes["worker"].kill()
    roles.processes["worker"].wait()
    s3.gate.set()
    assert path.exists() and where(roles, call_id) == str(path)
    with database:  # its lease runs out
        database.execute("UPDATE jobs SET lease_until_ms = 1 WHERE unique_key = ?", ("upload:" + call_id,))
    roles.start("worker")
    assert wait_until(lambda: not path.exists(), 15) and s3.objects[key_of(call_id)] == b"RIFF" * 5
    assert wait_until(lambda: job_of(database, call_id)[0] == "done", 5)


def test_a_call_that_was_deleted_meanwhile_leaves_nothing(roles, database, s3):
    """After the object was written and before the row named it."""
    call_id = str(uuid.uuid4())
    s3.objects[key_of(call_id)] = b"RIFF"
    path = roles.tmp / "data" / "recordings" / f"{call_id}.wav"
    path.write_bytes(b"RIFF")
    job(database, call_id, str(path))
    assert wait_until(lambda: job_of(database, call_id)[0] == "done", 10)
    assert key_of(call_id) not in s3.objects and not path.exists() and s3.count("PUT") == 0


def test_a_file_that_was_moved_while_it_was_asked_for(roles, database, s3):
    call_id, _ = over(roles, database, str(roles.tmp / "data" / "recordings" / "ID.wav"))
    s3.objects[key_of(call_id)] = b"RIFF moved"
    assert raw(roles, "GET", f"/calls/{call_id}/recording")[2] == b"RIFF moved"
    del s3.objects[key_of(call_id)]
    assert raw(roles, "GET", f"/calls/{call_id}/recording")[0] == 404


def test_retention_removes_objects(tmp_path, s3):
    stub = Stub()
    made = Roles(tmp_path, stub, CARRIER, LLM_PROVIDERS="openai", **s3.environment())
    made.start("api")
    made.agent_id = made.agent()
    made.user_id = made.call("GET", "/auth/me")[1]["id"]
    link = made.database()
    call_id = kept(made, link, s3, b"RIFF")
    with link:
        link.execute("INSERT INTO user_limits (user_id, recording_days) VALUES (?, 30)", (made.user_id,))
    link.close()
    try:
        made.start("worker")
        assert wait_until(lambda: key_of(call_id) not in s3.objects, 15)
        assert made.call("GET", f"/calls/{call_id}/recording")[0] == 404
    finally:
        made.stop()
        stub.close()


def test_wrong_keys(tmp_path, s3):
    stub = Stub()
    made = Roles(tmp_path, stub, CARRIER, LLM_PROVIDERS="openai", **s3.environment(AWS_SECRET_ACCESS_KEY="wrong"))
    made.start("api")
    made.agent_id = made.agent()
    made.user_id = made.call("GET", "/auth/me")[1]["id"]
    link = made.database()
    try:
        call_id = kept(made, link, s3, b"RIFF")
        status, answer = made.call("GET", f"/calls/{call_id}/recording")
        assert status == 502 and answer["code"] == "recordings_refused", answer
        assert s3.refused[-1][1] == "SignatureDoesNotMatch"
        moved, path = recorded(made, link, b"RIFF")
        made.start("worker")
        assert wait_until(lambda: "check AWS_SECRET_ACCESS_KEY" in ((job_of(link, moved) or [0, 0, ""])[2] or ""), 10)
        assert path.exists()
    finally:
        link.close()
        made.stop()
        stub.close()


@pytest.mark.parametrize("change, words", [
    ({}, "ok   recordings"), ({"AWS_SECRET_ACCESS_KEY": "wrong"}, "SignatureDoesNotMatch"), ({"AWS_ACCESS_KEY_ID": "other"}, "check AWS_ACCESS_KEY_ID"),
    ({"AWS_ACCESS_KEY_ID": ""}, "needs AWS_ACCESS_KEY_ID"), ({"bucket": "other"}, "NoSuchBucket"), ({"region": "us-east-1"}, "check region="),
    ({"RECORDINGS_URL": "s3://B?x=1"}, "the bucket's name"), ({"RECORDINGS_URL": "ftp://x"}, "give file:DIRECTORY")])
def test_doctor(run, s3, change, words):
    url = s3.recordings().replace("//calls/", f"//{change.pop('bucket', 'calls')}/").replace("eu-central-1", change.pop("region", "eu-central-1"))
    done = run("doctor", "--no-local", env=s3.environment(**{"RECORDINGS_URL": url, **change}))
    line = next(line for line in done.stdout.splitlines() if line[5:].startswith("recordings"))
    assert words in line and line.startswith("ok" if not change and "calls" in url and "eu" in url else "BAD"), line
    assert S3.SECRET not in done.stdout
    assert not [key for key in s3.objects if "doctor" in key]


def test_a_mistake_is_told_at_the_start(run):
    done = run("serve", "--no-local", env={"RECORDINGS_URL": "s3://calls/a b"})
    assert done.returncode and "the prefix may have" in done.stderr


def test_another_directory(start, tmp_path):
    stub = Stub()
    system = System(lambda *args: start(*args, env={"RECORDINGS_URL": f"file:{tmp_path / 'kept'}"}), stub)
    system.callee(QUESTION + "hangup\n")
    call = system.wait_end(system.dial())
    assert call["recording"] == str(tmp_path / "kept" / f"{call['id']}.wav") and os.path.getsize(call["recording"]) > 16000
    assert system.program.stop() == 0
    stub.close()
