"""Landing in an S3-compatible store, with the settings of docker-compose.yml: through the real client, over HTTP.

The store is as small as one can be: it knows the requests that landing makes, keeps objects in memory, and asks for the
key that its users were given.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree import ElementTree

import pytest
import yaml

ROOT = Path(__file__).parents[2]
SETTINGS = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))["x-landing-settings"]
NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
WORK = """
import json, sys
import pyarrow as pa
from connectors import landing
from onegrid.errors import OneGridError
from onegrid.settings import read_settings

settings, key = read_settings(), bytes(16)
try:
    landing.write_sealed(pa.table({"编号": ["1", "2"]}), "population/1.parquet", key, settings)
    print(json.dumps(landing.read_sealed("population/1.parquet", key, settings).to_pylist()))
    landing.remove("population/1.parquet", settings)
    landing.remove("population/1.parquet", settings)
except OneGridError as error:
    print(type(error).__name__, error)
"""


@dataclass
class Store:
    """What the store holds, what was asked of it, and the id of the key it asks for."""

    id: str
    url: str = ""
    buckets: set[str] = field(default_factory=set)
    objects: dict[str, bytes] = field(default_factory=dict)
    ever: set[str] = field(default_factory=set)


class Answer(BaseHTTPRequestHandler):
    """The requests of S3 that landing makes, path style."""

    store: Store
    protocol_version = "HTTP/1.1"  # the client waits for "100 Continue" before it sends an object

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.asked()
        if path is None:
            return
        if "/" not in path:
            self.store.buckets.add(path)
        elif path.split("/")[0] not in self.store.buckets:
            self.say(404, error("NoSuchBucket"))
            return
        else:
            copied = self.headers.get("x-amz-copy-source")
            self.store.objects[path] = self.store.objects[unquote(copied).lstrip("/")] if copied else body
            self.store.ever.add(path)
        self.say(200, b"<CopyObjectResult><ETag>1</ETag></CopyObjectResult>")

    def do_GET(self) -> None:
        path = self.asked()
        if path is None:
            return
        query = parse_qs(urlsplit(self.path).query, keep_blank_values=True)
        if "list-type" in query:
            found = [key for key in self.store.objects if key.startswith(f"{path}/{query.get('prefix', [''])[0]}")]
            keys = "".join(f"<Contents><Key>{key.partition('/')[2]}</Key><Size>1</Size></Contents>" for key in found)
            self.say(200, f'<ListBucketResult xmlns="{NAMESPACE}">{keys}</ListBucketResult>'.encode())
        elif path in self.store.buckets:
            self.say(200, f'<LocationConstraint xmlns="{NAMESPACE}"/>'.encode())
        elif path in self.store.objects:
            start, _, end = (self.headers.get("Range") or "bytes=0-").removeprefix("bytes=").partition("-")
            held = self.store.objects[path]
            self.say(206, held[int(start) : int(end) + 1 if end else len(held)])
        else:
            self.say(404, error("NoSuchKey" if "/" in path else "NoSuchBucket"))

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.asked()
        if path is None:
            return
        for key in ElementTree.fromstring(body).iter(f"{{{NAMESPACE}}}Key"):
            self.store.objects.pop(f"{path}/{key.text}", None)
        self.say(200, f'<DeleteResult xmlns="{NAMESPACE}"/>'.encode())

    def asked(self) -> str | None:
        """The path that is asked for; None when the request was refused for its key."""
        if f"Credential={self.store.id}/" in self.headers.get("Authorization", ""):
            return unquote(urlsplit(self.path).path).strip("/")
        self.say(403, error("InvalidAccessKeyId"))
        return None

    def say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"1"')
        self.send_header("Last-Modified", "Fri, 27 Nov 2026 00:00:00 GMT")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


def error(code: str) -> bytes:
    return f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode()


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    (tmp_path / "deploy").mkdir()
    script = tmp_path / "deploy" / "secrets.sh"
    script.write_text((ROOT / "deploy" / "secrets.sh").read_text("utf-8"), "utf-8")
    subprocess.run(["sh", str(script)], capture_output=True, check=True)
    return tmp_path / "secrets"


@pytest.fixture
def store(secrets: Path) -> Iterator[Store]:
    identity = json.loads((secrets / "s3_config").read_text("utf-8"))["identities"][0]
    store = Store(identity["credentials"][0]["accessKey"])
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Answer,), {"store": store}))
    store.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield store
    server.shutdown()
    thread.join()
    server.server_close()


def land(url: str, credentials: Path, home: Path) -> str:
    """Land, read and remove in a process with the containers' settings; what it said."""
    own = {"AWS_ENDPOINT_URL": url, "AWS_SHARED_CREDENTIALS_FILE": str(credentials), "AWS_MAX_ATTEMPTS": "1"}
    environ = {**SETTINGS, **own, "ONEGRID_HOME": str(home), "HOME": str(home), "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-c", WORK]
    done = subprocess.run(words, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_loads_land_in_the_store_sealed_and_are_read_and_removed(store: Store, secrets: Path, tmp_path: Path) -> None:
    assert json.loads(land(store.url, secrets / "s3_credentials", tmp_path)) == [{"编号": "1"}, {"编号": "2"}]
    assert store.buckets == {SETTINGS["ONEGRID_LANDING"].removeprefix("s3://")}, "made by whoever comes first"
    assert store.ever == {"landing/population/1.parquet.part", "landing/population/1.parquet"}
    assert store.objects == {}
    assert not (tmp_path / "landing").exists()


def test_a_store_that_refuses_or_does_not_answer_is_one_sentence(store: Store, secrets: Path, tmp_path: Path) -> None:
    (tmp_path / "none").write_text("[other]\n", "utf-8")
    (tmp_path / "wrong").write_text("[default]\naws_access_key_id = a\naws_secret_access_key = b\n", "utf-8")
    assert land(store.url, tmp_path / "none", tmp_path).startswith("HomeError The store of landed loads s3://landing")
    assert land(store.url, tmp_path / "wrong", tmp_path).startswith("HomeError The landing folder s3://landing cannot")
    said = land("http://127.0.0.1:9", secrets / "s3_credentials", tmp_path)
    assert "does not answer (EndpointConnectionError)" in said
