"""An OpenAI-compatible server for tests: it hears one sentence, answers another, and speaks in tones. What it does can be
changed while it runs, to see what RelayX makes of a provider that fails."""
import http.server
import json
import math
import struct
import threading
import time


class Stub:
    def __init__(self):
        self.heard = "What does it cost?"          # what speech-to-text gives
        self.reply = "It costs five dollars. Anything else?"
        self.llm_status = self.stt_status = self.tts_status = 200
        self.delay_s = 0.05
        self.requests = []
        stub = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                self.send_json(200, {"object": "list", "data": []})

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                stub.requests.append((self.path, body))
                time.sleep(stub.delay_s)
                try:
                    self.answer(body)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True  # the request was cancelled

            def answer(self, body):
                if self.path.endswith("/transcriptions"):
                    self.send_json(stub.stt_status, {"text": stub.heard})
                elif self.path.endswith("/chat/completions"):
                    self.chat(json.loads(body))
                elif self.path.endswith("/speech"):
                    self.speech(json.loads(body))
                else:
                    self.send_json(404, {"error": {"message": "unknown path"}})

            def send_json(self, status, value):
                data = json.dumps(value).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def chunk(self, data):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

            def start_chunks(self, kind):
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()

            def chat(self, wish):
                if stub.llm_status != 200:
                    return self.send_json(stub.llm_status, {"error": {"message": "out of order"}})
                if not wish.get("stream"):
                    return self.send_json(200, {"choices": [{"message": {"content": stub.reply}}]})
                self.start_chunks("text/event-stream")
                for word in stub.reply.split(" "):
                    event = {"choices": [{"delta": {"content": word + " "}, "finish_reason": None}]}
                    self.chunk(b"data: " + json.dumps(event).encode() + b"\n\n")
                self.chunk(b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n')
                self.chunk(b"")

            def speech(self, wish):
                if stub.tts_status != 200:
                    return self.send_json(stub.tts_status, {"error": {"message": "out of order"}})
                count = int(24000 * 0.06 * max(4, len(wish["input"])))
                tone = [int(8000 * math.sin(i * 2 * math.pi * 300 / 24000)) for i in range(count)]
                self.start_chunks("audio/pcm")
                for at in range(0, count, 2400):
                    part = tone[at:at + 2400]
                    self.chunk(struct.pack(f"<{len(part)}h", *part))
                self.chunk(b"")

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
