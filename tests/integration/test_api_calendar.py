"""The calendar against a strict double of Cal.com's API v2."""

import datetime
import http.server
import json
import re
import threading
import urllib.parse
import uuid

import pytest

from conftest import free_port, request
from roles import Roles
from test_api_contacts import NoCarrier

KEY = "cal_live_0123456789"
VERSIONS = {"slots": "2024-09-04", "bookings": "2024-08-13", "event-types": "2024-06-14"}
UTC = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")


class Calendar:
    """Refuses what Cal.com refuses: a missing or another version, a wrong key, fields that are not its own."""

    def __init__(self):
        self.bookings, self.mode, self.wrong, self.asked = {}, None, [], []
        calendar = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def answer(self, status, body):
                data = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def refuse(self, status, message):
                calendar.wrong.append(message)
                self.answer(status, {"status": "error", "error": {"code": "BadRequestException", "message": message}})

            def start(self):
                path, _, query = self.path.partition("?")
                parts = path.strip("/").split("/")
                calendar.asked.append((self.command, path))
                if parts[0] != "v2" or parts[1] not in VERSIONS:
                    return self.refuse(404, "Cannot " + self.command + " " + path)
                if self.headers.get("cal-api-version") != VERSIONS[parts[1]]:
                    return self.refuse(400, f"wrong cal-api-version for {parts[1]}")
                if self.headers.get("Authorization") != f"Bearer {KEY}":
                    return self.refuse(401, "Invalid API Key")
                if calendar.mode:
                    return self.answer(*calendar.mode)
                return parts[1:], {k: v[0] for k, v in urllib.parse.parse_qs(query).items()}

            def do_GET(self):
                got = self.start()
                if not got:
                    return
                parts, query = got
                if parts == ["event-types"]:
                    return self.answer(200, {"status": "success", "data": [{"id": 77, "slug": "30min"}, {"id": 78}]})
                if parts == ["slots"]:
                    if set(query) != {"eventTypeId", "start", "end", "timeZone"}:
                        return self.refuse(400, f"slots: {query}")
                    return self.answer(200, {"status": "success", "data": {
                        "2026-12-01": [{"start": "2026-12-01T09:00:00.000Z"}, {"start": "2026-12-01T09:30:00.000Z"}],
                        "2026-12-02": []}})
                if parts == ["bookings"]:
                    if not set(query) <= {"take", "sortStart", "afterStart", "beforeEnd", "status"}:
                        return self.refuse(400, f"bookings: {query}")
                    return self.answer(200, {"status": "success", "data": list(calendar.bookings.values())[:int(query["take"])]})
                self.refuse(404, "Cannot GET " + self.path)

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                got = self.start()
                if not got:
                    return
                parts, _ = got
                if parts == ["bookings"]:
                    return self.book(body)
                if len(parts) == 3 and parts[0] == "bookings" and parts[1] in calendar.bookings:
                    booking = calendar.bookings[parts[1]]
                    if parts[2] == "cancel" and set(body) == {"cancellationReason"}:
                        booking["status"] = "cancelled"
                        return self.answer(200, {"status": "success", "data": booking})
                    if parts[2] == "reschedule" and "start" in body and set(body) <= {"start", "rescheduledBy", "reschedulingReason"}:
                        if booking["status"] == "cancelled":
                            return self.refuse(400, "Can't reschedule booking with uid because it has been cancelled")
                        moved = {**booking, "uid": "moved" + uuid.uuid4().hex[:8], "start": body["start"]}
                        calendar.bookings[moved["uid"]] = moved
                        return self.answer(201, {"status": "success", "data": moved})
                    return self.refuse(400, f"{parts[2]}: {body}")
                self.refuse(404, "Booking with uid was not found")

            def book(self, body):
                attendee = body.get("attendee", {})
                if not set(body) <= {"eventTypeId", "start", "attendee", "guests", "bookingFieldsResponses", "metadata"}:
                    return self.refuse(400, f"property should not exist: {set(body)}")
                if not isinstance(body.get("eventTypeId"), int) or not UTC.match(body.get("start", "")):
                    return self.refuse(400, f"eventTypeId and start: {body}")
                if not {"name", "email", "timeZone"} <= set(attendee) <= {"name", "email", "timeZone", "phoneNumber", "language"}:
                    return self.refuse(400, f"attendee: {attendee}")
                if any(b["start"] == body["start"] and b["status"] == "accepted" for b in calendar.bookings.values()):
                    return self.answer(400, {"status": "error", "error": {"code": "BadRequestException", "message":
                                             "User either already has booking at this time or is not available"}})
                start = datetime.datetime.strptime(body["start"], "%Y-%m-%dT%H:%M:%SZ")
                uid = uuid.uuid4().hex[:22]
                calendar.bookings[uid] = {
                    "id": len(calendar.bookings) + 1, "uid": uid, "title": f"30min between Owner and {attendee['name']}", "status": "accepted",
                    "start": body["start"], "end": (start + datetime.timedelta(minutes=30)).strftime("%Y-%m-%dT%H:%M:%SZ"), "duration": 30,
                    "eventTypeId": body["eventTypeId"], "attendees": [{**attendee, "absent": False}], "hosts": [],
                    "location": "https://meet.example.com/x", "metadata": body.get("metadata", {})}
                self.answer(201, {"status": "success", "data": calendar.bookings[uid]})

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", free_port()), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture(scope="module")
def made():
    calendar = Calendar()
    yield calendar
    calendar.server.shutdown()


@pytest.fixture
def calendar(made):
    made.mode, made.wrong = None, []
    made.bookings.clear()
    made.asked.clear()
    yield made


@pytest.fixture(scope="module")
def api(tmp_path_factory, made):
    roles = Roles(tmp_path_factory.mktemp("calendar"), NoCarrier, NoCarrier, LLM_PROVIDERS="openai", CAL_API_URL=made.url + "/",
                  CAL_API_KEY=KEY)
    roles.start("api")
    yield roles
    roles.stop()


BOOKING = {"start": "2026-12-01T10:00:00+01:00", "title": "Visit", "attendee": {"name": "Zoë", "email": "zoe@example.com", "time_zone": "Europe/Berlin"}}


def test_free_times(api, calendar):
    status, slots = api.call("GET", "/cal/availability?start=2026-12-01&end=2026-12-02T12:00:00Z&event_type_id=5&time_zone=Europe/Berlin")
    assert (status, calendar.wrong) == (200, [])
    assert slots == {"2026-12-01": ["2026-12-01T09:00:00.000Z", "2026-12-01T09:30:00.000Z"], "2026-12-02": []}
    assert calendar.asked == [("GET", "/v2/slots")]
    assert api.call("GET", "/cal/availability?start=2026-12-01&end=2026-12-02")[0] == 200
    assert calendar.asked[-2:] == [("GET", "/v2/event-types"), ("GET", "/v2/slots")]
    for bad in ("start=x&end=2026-12-02", "start=2026-12-01", "start=2026-12-01&end=2026-12-02&event_type_id=0",
                "start=2026-12-01&end=2026-12-02&time_zone=a%20b"):
        assert api.call("GET", "/cal/availability?" + bad)[0] == 422, bad


def test_booking(api, calendar):
    status, event = api.call("POST", "/cal/events", BOOKING)
    assert (status, calendar.wrong) == (201, []), event
    kept = calendar.bookings[event["id"]]
    assert kept["start"] == "2026-12-01T09:00:00Z" and kept["eventTypeId"] == 77 and kept["metadata"] == {"title": "Visit"}
    assert event == {"id": kept["uid"], "title": kept["title"], "start": "2026-12-01T09:00:00Z", "end": "2026-12-01T09:30:00Z", "status": "accepted",
                     "attendees": [BOOKING["attendee"]], "meeting_url": "https://meet.example.com/x"}
    assert api.call("GET", "/cal/events") == (200, [event])
    assert api.call("GET", "/cal/events?start=2026-12-01&end=2026-12-31&status=upcoming&limit=1") == (200, [event])
    status, body = api.call("POST", "/cal/events", BOOKING)
    assert status == 409 and body["code"] == "slot_taken"
    for bad in ({}, {"start": "x"}, {**BOOKING, "attendee": {"name": "A", "email": "x"}}, {**BOOKING, "event_type_id": "1"}):
        assert api.call("POST", "/cal/events", bad)[0] == 422
    assert calendar.wrong == []


def test_moving_and_cancelling(api, calendar):
    event = api.call("POST", "/cal/events", {**BOOKING, "event_type_id": 9})[1]
    status, moved = api.call("POST", f"/cal/events/{event['id']}/reschedule", {"start": "2026-12-03T09:00:00Z", "reason": "ill"})
    assert status == 200 and moved["id"] != event["id"] and moved["start"] == "2026-12-03T09:00:00Z"
    status, gone = api.call("POST", f"/cal/events/{moved['id']}/cancel")
    assert status == 200 and gone["status"] == "cancelled", gone
    assert api.call("POST", f"/cal/events/{moved['id']}/reschedule", {"start": "2026-12-04T09:00:00Z"})[0] == 422
    assert api.call("POST", "/cal/events/nobody/cancel", {"reason": "x"})[0] == 404


@pytest.mark.parametrize("answer,status,code", [
    ((500, {"status": "error"}), 502, "provider_error"), ((200, b"<html>"), 502, "provider_error"), ((200, {"status": "error", "data": []}), 502, "provider_error"),
    ((401, {"status": "error", "error": {"message": "no"}}), 424, "calendar_key_refused"), ((429, {}), 503, "calendar_unavailable"),
    ((400, {"error": {"message": "no such thing"}}), 422, "validation_error")])
def test_trouble(api, calendar, answer, status, code):
    calendar.mode = answer
    for method, path, body in (("GET", "/cal/events", None), ("GET", "/cal/availability?start=2026-12-01&end=2026-12-02&event_type_id=1", None),
                               ("POST", "/cal/events", {**BOOKING, "event_type_id": 1})):
        got, said = api.call(method, path, body)
        assert (got, said["code"]) == (status, code), said


def test_nobody_there(tmp_path):
    roles = Roles(tmp_path, NoCarrier, NoCarrier, LLM_PROVIDERS="openai", CAL_API_URL=f"http://127.0.0.1:{free_port()}", CAL_API_KEY=KEY)
    roles.start("api")
    try:
        status, body = roles.call("GET", "/cal/events")
        assert (status, body["code"]) == (503, "calendar_unavailable")
    finally:
        roles.stop()


def test_no_key_and_own_key(tmp_path, calendar):
    roles = Roles(tmp_path, NoCarrier, NoCarrier, LLM_PROVIDERS="openai", CAL_API_URL=calendar.url, SECRETS_KEY="s" * 40)
    roles.environment.pop("CAL_API_KEY", None)
    roles.start("api")
    try:
        status, body = roles.call("GET", "/cal/events")
        assert (status, body["code"]) == (424, "calendar_not_configured") and "cal_api_key" in body["detail"]
        assert not calendar.asked
        assert roles.call("PUT", "/account/secrets/cal_api_key", {"value": KEY})[0] in (200, 201)
        assert roles.call("GET", "/cal/events") == (200, [])
        assert roles.call("PUT", "/account/secrets/cal_api_key", {"value": "cal_wrong_0123456789"})[0] in (200, 201)
        assert roles.call("GET", "/cal/events")[1]["code"] == "calendar_key_refused"
    finally:
        roles.stop()
