"""Time, rows and peak memory of each stage, measured from inside the process."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

SAMPLE_SECONDS = 0.05
_PAGE = 4096
_STATM = Path("/proc/self/statm")


@dataclass
class Tally:
    """What one stage cost so far: wall seconds, rows it handled, the process's resident memory at its peak (MB)."""

    seconds: float = 0.0
    rows: int = 0
    peak_mb: float = 0.0

    def summary(self) -> dict[str, float | int]:
        """The figures as the run's summary prints them."""
        return {"seconds": round(self.seconds, 3), "rows": self.rows, "peak_mb": round(self.peak_mb, 1)}


class Meter:
    """Tallies by stage name, in the order the stages are declared; a thread samples memory while a stage is under way."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.tallies = {name: Tally() for name in names}
        self._current: Tally | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, name="meter", daemon=True)

    def __enter__(self) -> Meter:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    @contextmanager
    def stage(self, name: str) -> Iterator[Tally]:
        """Add what the block costs to the stage's tally; the block adds its rows itself."""
        tally = self.tallies[name]
        tally.peak_mb = max(tally.peak_mb, resident_mb())
        self._current = tally
        start = time.perf_counter()
        try:
            yield tally
        finally:
            tally.seconds += time.perf_counter() - start
            self._current = None
            tally.peak_mb = max(tally.peak_mb, resident_mb())

    @contextmanager
    def side_by_side(self) -> Iterator[None]:
        """A block whose stages run in other processes: its wall seconds are shared among them as they shared the work."""
        before = {name: tally.seconds for name, tally in self.tallies.items()}
        start = time.perf_counter()
        yield
        wall = time.perf_counter() - start
        worked = {name: tally.seconds - before[name] for name, tally in self.tallies.items()}
        whole = sum(worked.values())
        for name, tally in self.tallies.items():
            tally.seconds = before[name] + (wall * worked[name] / whole if whole else 0.0)

    def add(self, others: Mapping[str, Tally]) -> None:
        """Add what stages cost in another process; its memory stands beside this one's present use."""
        here = resident_mb()
        for name, other in others.items():
            tally = self.tallies[name]
            tally.seconds += other.seconds
            tally.rows += other.rows
            tally.peak_mb = max(tally.peak_mb, here + other.peak_mb)

    def _sample(self) -> None:
        while not self._stop.wait(SAMPLE_SECONDS):
            if (tally := self._current) is not None:
                tally.peak_mb = max(tally.peak_mb, resident_mb())


def resident_mb() -> float:
    """Resident memory of this process in MB; 0 where the system does not tell (no /proc)."""
    try:
        return int(_STATM.read_text(encoding="ascii").split()[1]) * _PAGE / 1e6
    except FileNotFoundError:
        return 0.0
