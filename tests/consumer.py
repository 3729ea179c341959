"""A system that takes webhooks, as a program of its own: writes down what it is sent, and can be killed.

Started as `python consumer.py PORT FILE`: each request is a JSON line of FILE, on disk before it is answered. It answers
with the status that FILE.status holds, 204 without one.
"""

from __future__ import annotations

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path


class Consumer(BaseHTTPRequestHandler):
    file: Path

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        line = {"path": self.path, "headers": {k.lower(): v for k, v in self.headers.items()}, "body": body.decode()}
        with self.file.open("a", encoding="utf-8") as out:
            out.write(json.dumps(line) + "\n")
            out.flush()
            os.fsync(out.fileno())
        status = self.file.with_suffix(".status")
        self.send_response(int(status.read_text()) if status.exists() else 204)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


if __name__ == "__main__":
    Consumer.file = Path(sys.argv[2])
    HTTPServer(("127.0.0.1", int(sys.argv[1])), Consumer).serve_forever()
