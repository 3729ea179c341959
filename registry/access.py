"""Who may see what: rights by role, areas by division. What is not granted here is denied."""

from __future__ import annotations

from dataclasses import dataclass

ENTITIES, SEARCH, CHECK, COMPARE, RECONCILE, CHANGES, QUALITY, FEEDS, METRICS, REVIEW, TICKETS, WEBHOOKS, HISTORY, EXPLAIN = (
    "entities", "search", "check", "compare", "reconcile", "changes", "quality", "feeds", "metrics", "review", "tickets",
    "webhooks", "history", "explain",
)  # fmt: skip
_DEPARTMENT = frozenset({ENTITIES, SEARCH, CHECK, COMPARE, CHANGES, QUALITY, TICKETS, HISTORY, EXPLAIN})
RIGHTS: dict[str, frozenset[str]] = {
    "worker": frozenset({ENTITIES, SEARCH, CHECK}),
    "department": _DEPARTMENT,
    "officer": _DEPARTMENT | {FEEDS, METRICS, REVIEW, WEBHOOKS},
    "auditor": frozenset({QUALITY, FEEDS, TICKETS}),
    "monitor": frozenset({METRICS}),
    "reconciler": frozenset({RECONCILE}),  # its secret stands in an address, where logs may see it: it may do no more
}
DISTRICT_DIGITS = 6  # who answers for a whole district also sees what lies nowhere in particular


@dataclass(frozen=True)
class Caller:
    """Who asks. area: what the division codes of all they may see begin with; numbers: whether unmasked."""

    token: int
    name: str
    role: str
    department: str | None
    area: str
    numbers: bool

    def may(self, right: str) -> bool:
        """Whether the role has the right; an unknown role has none."""
        return right in RIGHTS.get(self.role, frozenset())

    @property
    def sees_nowhere(self) -> bool:
        """Whether entities without a division are theirs to see."""
        return len(self.area) <= DISTRICT_DIGITS


def area_of(division: str) -> str:
    """What the codes of all places in a division begin with: 340202004000 is the street 340202004."""
    for digits in (9, 6):
        if len(division) > digits and set(division[digits:]) == {"0"}:
            division = division[:digits]
    return division
