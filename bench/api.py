"""How fast the API answers, held against a bare indexed point read over the same HTTP and PostgreSQL in the same run.

python -m bench.api --home HOME. The load generator has one core to itself, the servers have the others. Requests come at
a fixed rate, whether or not the last is answered; the blocks of all kinds take turns, and medians over the rounds count.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from sqlalchemy import text

from onegrid.database import Actor, read_frame
from onegrid.pipeline import open_hub
from onegrid.printing import say
from onegrid.settings import read_settings
from registry.published import SEALED_FOR
from registry.tokens import create_token

API_PORT, BARE_PORT = 18201, 18202
CONNECTIONS = 16
ROUNDS = 5
SEARCHES = ("search by name", "search by name and address")
CHECKS = ("bare, as often", "check")  # both at the rate of checks
SAMPLE = """
    SELECT e.code, v.sealed, n.value AS name, a.value AS address FROM entity e
    JOIN entity_value v ON v.code = e.code AND v.property = 'id_number' AND v.known_to IS NULL
    JOIN entity_value n ON n.code = e.code AND n.property = 'name' AND n.known_to IS NULL
    LEFT JOIN entity_value a ON a.code = e.code AND a.property = 'address' AND a.known_to IS NULL
    WHERE e.type = 'person' AND e.status = 'active' AND starts_with(e.division, '340202') ORDER BY md5(e.code) LIMIT %(many)s"""


@dataclass(frozen=True)
class Request:
    """One request, ready to be written to a connection."""

    port: int
    content: bytes


def main() -> None:
    """Measure and print p50 and p99 in milliseconds, and their ratios to the bare read, as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="a home with a published registry")
    parser.add_argument("--rate", type=float, default=100.0, help="point reads a second (100)")
    parser.add_argument("--search-rate", type=float, default=20.0, help="searches a second (20)")
    parser.add_argument("--check-rate", type=float, default=100.0, help="checks a second (100)")
    parser.add_argument("--check-seconds", type=float, default=10.0, help="seconds of checks, all rounds together (10)")
    parser.add_argument("--workers", type=int, default=1, help="processes of the API (1)")
    parser.add_argument("--block", type=int, default=500, help="requests a block (500)")
    chosen = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    with ExitStack() as held:
        hub = held.enter_context(open_hub(read_settings(chosen.home), Actor("bench"), say))
        with hub.database.session(hub.actor) as connection:
            sample = read_frame(connection, SAMPLE, {"many": 4000})
            _, token = create_token(connection, "officer", "bench", "340202", numbers=False, days=1)
        sample["number"] = hub.keyring.unseal_many(sample["sealed"], SEALED_FOR)
        for module, port in (("api", API_PORT), ("bench.bare", BARE_PORT)):
            held.enter_context(_served(module, port, chosen.home, cores[1:] or cores, chosen.workers))
        os.sched_setaffinity(0, cores[:1])
        kinds = _kinds({str(name): sample[name].tolist() for name in sample}, token)
        paces = {name: (chosen.search_rate if name in SEARCHES else chosen.rate, chosen.block) for name in kinds}
        often = max(1, round(chosen.check_rate * chosen.check_seconds / ROUNDS))
        paces |= dict.fromkeys(CHECKS, (chosen.check_rate, often))
        found = asyncio.run(_measure(kinds, paces))
        with hub.database.session(hub.actor) as connection:
            connection.execute(text("UPDATE api_token SET revoked_at = now() WHERE name = 'bench officer'"))
    print(json.dumps(_summary(found), indent=1))


@contextmanager
def _served(module: str, port: int, home: Path, cores: Sequence[int], workers: int) -> Iterator[None]:
    environ = {**os.environ, "ONEGRID_HOME": str(home)}
    words = [sys.executable, "-m", module, "--port", str(port), "--workers", str(workers)]
    with subprocess.Popen(words, env=environ, preexec_fn=lambda: os.sched_setaffinity(0, cores)) as server:  # noqa: PLW1509 - takes no lock
        try:
            _await(f"http://127.0.0.1:{port}/openapi.json", server)
            yield
        finally:
            server.terminate()


def _await(url: str, server: subprocess.Popen[bytes]) -> None:
    while server.poll() is None:
        try:
            with urllib.request.urlopen(url):
                return
        except urllib.error.URLError:
            time.sleep(0.1)
    raise SystemExit(f"{url} did not come up")


def _kinds(sample: dict[str, list[str]], token: str) -> dict[str, list[Request]]:
    def get(port: int, path: str) -> Request:
        return Request(port, f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode())

    def post(path: str, body: dict[str, str]) -> Request:
        content = json.dumps(body).encode()
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
        return Request(API_PORT, head.encode() + f"Content-Length: {len(content)}\r\n\r\n".encode() + content)

    homes = [
        (name, address)
        for name, address in zip(sample["name"], sample["address"], strict=True)
        if isinstance(address, str)
    ]
    return {
        "bare": [get(BARE_PORT, f"/bare/{code}") for code in sample["code"]],
        "by code": [get(API_PORT, f"/v1/persons/{code}") for code in sample["code"]],
        "by number": [post("/v1/lookup", {"number": number}) for number in sample["number"]],
        "search by name": [post("/v1/search", {"name": name, "type": "person"}) for name in sample["name"]],
        "search by name and address": [post("/v1/search", {"name": n, "address": a}) for n, a in homes],
        "bare, as often": [get(BARE_PORT, f"/bare/{code}") for code in sample["code"]],
        "check": [post("/v1/check", {"name": n, "address": a}) for n, a in homes],
    }


async def _measure(
    kinds: dict[str, list[Request]], paces: dict[str, tuple[float, int]]
) -> dict[str, list[list[float]]]:
    """Seconds of each request, by kind and round; the first round warms up and is thrown away."""
    drawn = random.Random(7)
    found: dict[str, list[list[float]]] = {name: [] for name in kinds}
    for turn in range(ROUNDS + 1):
        for name, requests in kinds.items():
            rate, block = paces[name]
            seconds = await _block(drawn.choices(requests, k=block), rate)
            if turn:
                found[name].append(seconds)
        say(f"round {turn} of {ROUNDS}")
    return found


async def _block(requests: Sequence[Request], rate: float) -> list[float]:
    """The requests at a fixed rate; latency counts from when each was due, so that waiting is not left out."""
    free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    port = requests[0].port
    for _ in range(CONNECTIONS):
        free.put_nowait(await asyncio.open_connection("127.0.0.1", port))
    start = time.perf_counter() + 0.05
    found = await asyncio.gather(*(_one(request, start + n / rate, free) for n, request in enumerate(requests)))
    while not free.empty():
        free.get_nowait()[1].close()
    return list(found)


async def _one(
    request: Request, due: float, free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]]
) -> float:
    await asyncio.sleep(max(0.0, due - time.perf_counter()))
    reader, writer = await free.get()
    writer.write(request.content)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    await reader.readexactly(int(head.split(b"content-length: ", 1)[1].split(b"\r\n", 1)[0]))
    seconds = time.perf_counter() - due
    free.put_nowait((reader, writer))
    if b" 200 " not in head.split(b"\r\n", 1)[0]:
        raise SystemExit(head.decode())
    return seconds


def _summary(found: dict[str, list[list[float]]]) -> dict[str, dict[str, float]]:
    p99 = {name: median(_quantile(turn, 0.99) for turn in turns) for name, turns in found.items()}
    p50 = {name: median(_quantile(turn, 0.50) for turn in turns) for name, turns in found.items()}
    return {
        name: {
            "p50_ms": round(1000 * p50[name], 2),
            "p99_ms": round(1000 * p99[name], 2),
            "p99_to_bare": round(p99[name] / p99["bare, as often" if name == "check" else "bare"], 2),
        }
        for name in found
    }


def _quantile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


if __name__ == "__main__":
    main()
