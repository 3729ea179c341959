"""How tasks are worked on: claimed, answered, undone; and what the answers say of the model and of those who answer."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from sqlalchemy import Connection, text

from onegrid.errors import NotFound, Refused

VERDICTS = ("same", "different", "unsure")
PAIRS_EACH = 3  # records of a part whose pairs are judged: one alone could leave its part and take the verdict along
_TASK = "SELECT id, type, code, parts, eyes, state, claimed_by FROM review_task WHERE id = :id FOR UPDATE"
_CLAIM = "UPDATE review_task SET state = 'claimed', claimed_by = :by, claimed_at = now() WHERE id = :id"
_ANSWERS = "SELECT id, by, verdicts FROM review_answer WHERE task = :id AND undone_at IS NULL ORDER BY id"
_ANSWER = """
    INSERT INTO review_answer (task, by, verdicts, reason) VALUES (:id, :by, CAST(:verdicts AS jsonb), :reason)"""
_STATE = """
    UPDATE review_task SET state = :state, claimed_by = NULL, claimed_at = NULL,
        closed_at = CASE WHEN :state = 'settled' THEN now() END WHERE id = :id"""
_JUDGE = """
    INSERT INTO judgement (type, source_a, key_a, role_a, source_b, key_b, role_b, verdict, by, reason, task)
    SELECT a.type, a.source, a.key, a.role, b.source, b.key, b.role, :verdict, :by, :reason, :id
    FROM record a, record b WHERE a.id = :a AND b.id = :b"""
_UNDO = "UPDATE review_answer SET undone_at = now() WHERE task = :id AND undone_at IS NULL AND by = :by"
_TAKE_BACK = "UPDATE judgement SET undone_at = now() WHERE task = :id AND undone_at IS NULL"
_AGREEMENT = """
    SELECT a.verdicts AS one, b.verdicts AS two FROM review_answer a JOIN review_answer b ON b.task = a.task AND b.id > a.id
    WHERE a.undone_at IS NULL AND b.undone_at IS NULL"""
_PAIRS = """
    SELECT j.verdict, max(e.weight) AS weight FROM judgement j
    JOIN record a ON (a.source, a.key, a.type, a.role) = (j.source_a, j.key_a, j.type, j.role_a)
    JOIN record b ON (b.source, b.key, b.type, b.role) = (j.source_b, j.key_b, j.type, j.role_b)
    LEFT JOIN edge e ON (e.record_a, e.record_b) = (least(a.id, b.id), greatest(a.id, b.id))
        AND e.model = (SELECT version FROM model WHERE current)
    WHERE j.undone_at IS NULL AND j.verdict <> 'unsure' AND j.type = 'person' GROUP BY j.id, j.verdict"""


@dataclass(frozen=True)
class Task:
    """A task under a lock of the caller's transaction."""

    number: int
    parts: tuple[tuple[int, ...], ...]
    eyes: int
    state: str
    claimed_by: str | None


def take(connection: Connection, number: int) -> Task:
    """The task, locked. Raises NotFound."""
    row = connection.execute(text(_TASK), {"id": number}).one_or_none()
    if row is None:
        raise NotFound(f"There is no review task {number}.")
    return Task(row.id, tuple(tuple(part) for part in row.parts), row.eyes, row.state, row.claimed_by)


def claim(connection: Connection, number: int, by: str) -> str:
    """Nobody else answers it meanwhile; its state. Raises NotFound, Refused when it is another's, answered by you, or settled."""
    task = take(connection, number)
    _free(connection, task, by)
    connection.execute(text(_CLAIM), {"id": number, "by": by})
    return "claimed"


def answer(connection: Connection, number: int, by: str, verdicts: Sequence[str], reason: str) -> str:
    """Say of each candidate in turn: same | different | unsure. The task's state after it: second | settled.

    Raises NotFound, Refused.
    """
    task = take(connection, number)
    _free(connection, task, by)
    if len(verdicts) != len(task.parts) - 1 or not set(verdicts) <= set(VERDICTS):
        raise Refused(
            f"Task {number} has {len(task.parts) - 1} candidates: say {', '.join(VERDICTS)} of each, in order."
        )
    if not reason.strip():
        raise Refused("An answer needs a reason: others will have to understand it.")
    values = {"id": number, "by": by, "reason": reason}
    connection.execute(text(_ANSWER), {**values, "verdicts": json.dumps(list(verdicts))})
    given = Counter(tuple(row.verdicts) for row in connection.execute(text(_ANSWERS), {"id": number}))
    settled = given[tuple(verdicts)] >= task.eyes
    connection.execute(text(_STATE), {"id": number, "state": "settled" if settled else "second"})
    if settled:
        _judge(connection, task, verdicts, values)
    return "settled" if settled else "second"


def _free(connection: Connection, task: Task, by: str) -> None:
    """Raises Refused unless `by` may work on the task now."""
    if task.state in ("settled", "closed"):
        raise Refused(f"Task {task.number} is {task.state}.")
    if task.state == "claimed" and task.claimed_by != by:
        raise Refused(f"Task {task.number} is being worked on by somebody else.")
    if any(row.by == by for row in connection.execute(text(_ANSWERS), {"id": task.number})):
        raise Refused(f"You have answered task {task.number}: a second pair of eyes must be another's.")


def _judge(connection: Connection, task: Task, verdicts: Sequence[str], values: dict[str, object]) -> None:
    """Judgements on pairs of records between parts; candidates that are the same as the entity are one with each other."""
    told = ["same", *verdicts]
    for one, two in combinations(range(len(told)), 2):
        verdict = _between(told[one], told[two])
        if verdict is None:
            continue
        for a in task.parts[one][:PAIRS_EACH]:
            for b in task.parts[two][:PAIRS_EACH]:
                connection.execute(text(_JUDGE), {**values, "verdict": verdict, "a": a, "b": b})


def _between(one: str, two: str) -> str | None:
    """What the words about two parts say of these two: nothing, where both may be somebody else."""
    if one == two == "same":
        return "same"
    return "different" if {one, two} == {"same", "different"} else None


def undo(connection: Connection, number: int, by: str) -> str:
    """Take one's answer back, and with it the judgements that hung on the task; its state. Raises NotFound."""
    take(connection, number)
    if not connection.execute(text(_UNDO), {"id": number, "by": by}).rowcount:
        raise NotFound(f"You have no answer to task {number} that could be undone.")
    connection.execute(text(_TAKE_BACK), {"id": number})
    left = connection.execute(text(_ANSWERS), {"id": number}).all()
    state = "second" if left else "open"
    connection.execute(text(_STATE), {"id": number, "state": state})
    return state


@dataclass(frozen=True)
class Evaluation:
    """How the model does on judged pairs, and how far those who judge agree.

    pairs: judged pairs; precision, recall: of the model's own scores at its threshold, None where nothing tells.
    answers: pairs of answers to one task; agreement: the share of candidates they said the same of.
    """

    pairs: int
    precision: float | None
    recall: float | None
    answers: int
    agreement: float | None


def evaluate(connection: Connection, threshold: float) -> Evaluation:
    """Judged pairs against the scores of the model in use; a pair without a kept score counts as not joined."""
    rows = connection.execute(text(_PAIRS)).all()
    said = [(row.verdict == "same", row.weight is not None and row.weight >= threshold) for row in rows]
    both = sum(truth and joined for truth, joined in said)
    joined, same = sum(joined for _, joined in said), sum(truth for truth, _ in said)
    twice = connection.execute(text(_AGREEMENT)).all()
    words = [one == two for row in twice for one, two in zip(row.one, row.two, strict=False)]
    return Evaluation(
        pairs=len(said),
        precision=both / joined if joined else None,
        recall=both / same if same else None,
        answers=len(twice),
        agreement=sum(words) / len(words) if words else None,
    )
