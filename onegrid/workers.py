"""Processes beside this one for work that holds the interpreter: they share nothing and die with it."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import TypeVar

Part = TypeVar("Part")
Result = TypeVar("Result")
_PR_SET_PDEATHSIG = 1  # prctl(2)


def cores() -> int:
    """Processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def workers(number: int | None = None) -> Iterator[ProcessPoolExecutor]:
    """A pool of fresh processes (nothing of this one's connections or threads is copied into them)."""
    with ProcessPoolExecutor(
        number or cores(), get_context("spawn"), initializer=_die_with, initargs=(os.getpid(),)
    ) as pool:
        yield pool


def in_parts(work: Callable[[Part], Result], parts: Sequence[Part]) -> list[Result]:
    """`work` of each part, in order, on all processors; in this process where there is one part or one processor."""
    if len(parts) < 2 or cores() < 2:
        return [work(part) for part in parts]
    with workers(min(len(parts), cores())) as pool:
        return list(pool.map(work, parts))


def _die_with(parent: int) -> None:
    """A killed parent's workers must not go on writing."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent(parent, signal.SIGKILL)


def die_with_parent(parent: int, by: signal.Signals) -> None:
    """For a fresh process: Linux ends it by the signal when its parent is gone, even after kill -9."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, by)
    if os.getppid() != parent:  # it was gone before we asked
        os._exit(1)
