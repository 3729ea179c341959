"""Who is the same: normalise, compare, cluster. `dedupe` does all of it for one table of people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matching.deduplication import dedupe

__all__ = ["dedupe"]


def __getattr__(name: str) -> Any:
    """Loaded when first asked for: a stage that needs one file of matching need not pay for pandas and all."""
    if name == "dedupe":
        from matching.deduplication import dedupe

        return dedupe
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
