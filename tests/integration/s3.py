"""A strict S3 for tests: it checks AWS Signature Version 4 itself, the body's hash included, and refuses what is not right in every
part. Objects are in memory; it can be away, lie, or break off."""
import datetime
import hashlib
import hmac
import http.server
import re
import threading

from conftest import free_port

ERROR = "<?xml version=\"1.0\"?><Error><Code>{}</Code><Message>{}</Message></Error>"
NOTHING = hashlib.sha256(b"").hexdigest()


def sign(secret, date, region, text):
    key = ("AWS4" + secret).encode()
    for part in (date, region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()


def signature(secret, method, path, query, headers, signed, payload_hash, region):
    """docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html; `headers` with names in lower case."""
    at = headers["x-amz-date"]
    lines = "".join(f"{name}:{' '.join(headers[name].split())}\n" for name in signed)
    request = "\n".join([method, path, query, lines, ";".join(signed), payload_hash])
    scope = f"{at[:8]}/{region}/s3/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", at, scope, hashlib.sha256(request.encode()).hexdigest()])
    return sign(secret, at[:8], region, text)


class S3:
    KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

    def __init__(self, bucket="calls", region="eu-central-1"):
        self.bucket, self.region = bucket, region
        self.objects, self.requests, self.refused = {}, [], []
        self.size_lie = 0      # what HEAD adds to the size
        self.break_after = None  # GET sends so many bytes and goes
        self.status = None     # every request is answered so
        self.gate = threading.Event()  # PUT waits for it, when it has been read
        self.gate.set()
        self.port = free_port()
        self.server = None
        self.up()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def recordings(self, prefix="rec/2026"):
        return f"s3://{self.bucket}/{prefix}?region={self.region}&endpoint={self.url}"

    def environment(self, **more):
        return {"RECORDINGS_URL": self.recordings(), "AWS_ACCESS_KEY_ID": self.KEY, "AWS_SECRET_ACCESS_KEY": self.SECRET, **more}

    def up(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), self.handler(), bind_and_activate=False)
        server.allow_reuse_address = True
        server.daemon_threads = True
        server.server_bind()
        server.server_activate()
        self.server = server
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def down(self):
        self.server.shutdown()
        self.server.server_close()
        self.server = None

    def close(self):
        if self.server:
            self.down()

    def count(self, method):
        return sum(1 for made, _ in self.requests if made == method)

    def wrong(self, method, path, query, headers, body):
        """(status, code, message) of what is wrong with the request, or None."""
        match = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=([^/,]+)/(\d{8})/([^/]+)/s3/aws4_request, ?"
                             r"SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})", headers.get("authorization", ""))
        if not match:
            return 403, "AccessDenied", "no signature"
        key, date, region, names, given = match.groups()
        signed = names.split(";")
        if key != self.KEY:
            return 403, "InvalidAccessKeyId", "no such key"
        if region != self.region:
            return 400, "AuthorizationHeaderMalformed", f"the region '{region}' is wrong; expecting '{self.region}'"
        must = {"host", "x-amz-date", "x-amz-content-sha256"} | {n for n in headers if n.startswith("x-amz-")}
        if not must <= set(signed) or signed != sorted(signed) or not set(signed) <= set(headers):
            return 403, "AccessDenied", "headers that must be signed are not"
        at = datetime.datetime.strptime(headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
        if abs((datetime.datetime.now(datetime.timezone.utc) - at).total_seconds()) > 900 or not headers["x-amz-date"].startswith(date):
            return 403, "RequestTimeTooSkewed", "the clock is wrong"
        payload = headers["x-amz-content-sha256"]
        right = signature(self.SECRET, method, path, query, headers, signed, payload, region)
        if not hmac.compare_digest(right, given):
            return 403, "SignatureDoesNotMatch", "the signature is not that of the request"
        if payload != hashlib.sha256(body).hexdigest():
            return 400, "XAmzContentSHA256Mismatch", "the body has another hash"
        if path.split("/")[1] != self.bucket:
            return 404, "NoSuchBucket", "no such bucket"
        return None

    def handler(double):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def answer(self, status, body=b"", headers=(), length=None):
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body) if length is None else length))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            def fail(self, status, code, message):
                self.answer(status, ERROR.format(code, message).encode(), [("Content-Type", "application/xml")])

            def handle_any(self):
                path, _, query = self.path.partition("?")
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                if double.server is None:  # a connection from before it went away
                    self.close_connection = True
                    return
                double.requests.append((self.command, path))
                wrong = double.wrong(self.command, path, query, headers, body)
                if wrong:
                    double.refused.append(wrong)
                    self.fail(*wrong)
                elif double.status:
                    self.fail(double.status, "SlowDown", "please come again")
                else:
                    getattr(self, self.command.lower())(path.split("/", 2)[2], body)

            do_GET = do_PUT = do_HEAD = do_DELETE = handle_any

            def put(self, key, body):
                double.gate.wait(20)
                double.objects[key] = body
                self.answer(200)

            def delete(self, key, _):
                double.objects.pop(key, None)
                self.answer(204)

            def head(self, key, _):
                if key not in double.objects:
                    return self.fail(404, "NoSuchKey", "no such key")
                self.answer(200, length=len(double.objects[key]) + double.size_lie)

            def get(self, key, _):
                if key not in double.objects:
                    return self.fail(404, "NoSuchKey", "no such key")
                whole = double.objects[key]
                match = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
                if not match or int(match[1]) >= len(whole):
                    return self.fail(416, "InvalidRange", "not a range of it")
                first, last = int(match[1]), min(int(match[2]), len(whole) - 1)
                part = whole[first:last + 1]
                headers = [("Content-Range", f"bytes {first}-{last}/{len(whole)}")]
                if double.break_after is None:
                    return self.answer(206, part, headers)
                self.answer(206, part[:double.break_after], headers, len(part))
                self.close_connection = True
        return Handler
