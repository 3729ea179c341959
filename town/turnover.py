"""What a day did to a system."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Turnover:
    """Rows written anew, put in, taken out."""

    changed: int
    added: int
    withdrawn: int
