"""The registry's tables (SQLAlchemy Core). Rows of people hold no plain number of sensitivity 3 or more: those are `Sealed`.

Two clocks: `valid_from`/`valid_to` say when something was true in the world (by the source), `known_from`/`known_to`
when the hub knew it; `known_to` is null for what the hub holds true now. `valid_to` is written with `known_to`: such a
row was true until then, and is still known to have been; one that ends without it was a mistake (`registry.history`).
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Float,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Sequence,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from onegrid.sealing import Sealed

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Moment = DateTime(timezone=True)
LOAD_STATES = ("landing", "landed", "checked", "staged", "unchanged", "failed", "abandoned")
RUN_STATES = ("running", "published", "planned", "held", "failed", "abandoned")


def _known() -> list[Column[object]]:
    return [
        Column("valid_from", Date),
        Column("valid_to", Date),
        Column("known_from", Moment, nullable=False, server_default=func.now()),
        Column("known_to", Moment),
    ]


source = Table(
    "source",
    metadata,
    Column("name", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("division", Text, nullable=False),
    Column("spec", JSONB, nullable=False),
    Column("declared_at", Moment, nullable=False, server_default=func.now()),
)

load = Table(
    "load",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("source", Text, ForeignKey("source.name"), nullable=False),
    Column("mode", Text, nullable=False),  # snapshot | delta | reconcile | replay
    Column("state", Text, nullable=False),
    Column("spec_hash", Text, nullable=False),  # of the part of the source file that decides what a row means
    Column("cursor", Text),  # the cursor's value after this load
    Column(
        "fingerprints", JSONB, nullable=False, server_default=text("'{}'")
    ),  # of the files read: name -> size, time, digest
    Column("columns", JSONB, nullable=False, server_default=text("'[]'")),  # the feed's headers byte for byte
    Column("path", Text),  # the landed Parquet below the landing URL
    Column("wrapped_key", LargeBinary),  # the key of the landed file, wrapped by the master key
    Column("full_scan", Boolean, nullable=False, server_default=text("false")),  # every key of the feed was seen
    Column("read", Integer, nullable=False, server_default=text("0")),
    Column("clean", Integer, nullable=False, server_default=text("0")),
    Column("quarantined", Integer, nullable=False, server_default=text("0")),
    Column("repeated", Integer, nullable=False, server_default=text("0")),
    Column("deleted", Integer, nullable=False, server_default=text("0")),
    Column("withheld", Integer, nullable=False, server_default=text("0")),
    Column(
        "current_rows", Integer, nullable=False, server_default=text("0")
    ),  # rows of the source in the registry after the load
    Column("warnings", JSONB, nullable=False, server_default=text("'[]'")),
    Column("stages", JSONB, nullable=False, server_default=text("'{}'")),  # stage -> seconds, rows, peak_mb
    Column("error", Text),
    Column("started_at", Moment, nullable=False, server_default=func.now()),
    Column("finished_at", Moment),
    CheckConstraint(
        "read = clean + quarantined + repeated OR state IN ('landing', 'landed', 'failed', 'abandoned')", name="counts"
    ),
    Index(None, "source", "id"),
)

record = Table(
    "record",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("source", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("role", Text, nullable=False, server_default=text("''")),
    Column("values", JSONB, nullable=False),  # properties of sensitivity 1 and 2
    Column("sealed", Sealed),  # JSON of the properties of sensitivity 3 and 4
    Column("hash", Text, nullable=False),  # keyed digest of all values
    Column("load", BigInteger, nullable=False),
    Column("deleted", Boolean, nullable=False, server_default=text("false")),
    Column("known_from", Moment, nullable=False, server_default=func.now()),
    UniqueConstraint("source", "key", "type", "role"),
)

record_version = Table(
    "record_version",  # what a record said before; the present version stands in `record`
    metadata,
    Column("record", BigInteger, primary_key=True),
    Column("load", BigInteger, primary_key=True),
    Column("values", JSONB, nullable=False),
    Column("sealed", Sealed),
    Column("hash", Text, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Column("known_from", Moment, nullable=False),
    Column("known_to", Moment, nullable=False),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("load", BigInteger, nullable=False),
    Column("source", Text, nullable=False),
    Column("key", Text),  # null where the row has none
    Column("row", Integer, nullable=False),  # its place in the landed load, from 1
    Column("scope", Text, nullable=False),  # row: the row is out | value: a value is withheld | warning
    Column("type", Text),
    Column("role", Text),
    Column("property", Text),
    Column("reasons", JSONB, nullable=False),  # list of rule names with their sentences, no values
    Column("sealed", Sealed),  # the raw row or the withheld value
    Column("state", Text, nullable=False, server_default=text("'open'")),  # open | mended | closed
    Column("due", Date),
    Column("first", BigInteger),  # the line that said it first, where this one says it again: one ticket
    Column("settled_at", Moment),
    Column("at", Moment, nullable=False, server_default=func.now()),
    Index(None, "source", "state"),
    Index(None, "load"),
    Index("ix_quarantine_first", "first", postgresql_where=text("first IS NOT NULL")),
)

model = Table(
    "model",
    metadata,
    Column("version", Text, primary_key=True),
    Column("body", Sealed, nullable=False),  # JSON; its frequencies hold names and digests of shared numbers
    Column("made_at", Moment, nullable=False, server_default=func.now()),
    Column("current", Boolean, nullable=False, server_default=text("false")),
    Index("uq_model_current", "current", unique=True, postgresql_where=text("current")),
)

edge = Table(
    "edge",
    metadata,
    Column("type", Text, nullable=False),
    Column("record_a", BigInteger, primary_key=True),
    Column("record_b", BigInteger, primary_key=True),
    Column("model", Text, primary_key=True),
    Column("weight", Float, nullable=False),
    Column("levels", BigInteger),  # of people: the level of each comparison, as the model packs them
)

judgement = Table(
    "judgement",  # hangs on the records' names, not their numbers: it outlives re-delivery
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("type", Text, nullable=False),
    Column("source_a", Text, nullable=False),
    Column("key_a", Text, nullable=False),
    Column("role_a", Text, nullable=False, server_default=text("''")),
    Column("source_b", Text, nullable=False),
    Column("key_b", Text, nullable=False),
    Column("role_b", Text, nullable=False, server_default=text("''")),
    Column("verdict", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Moment, nullable=False, server_default=func.now()),
    Column("undone_at", Moment),
    Column("task", BigInteger),  # the review task whose answer it is
    CheckConstraint("verdict IN ('same', 'different', 'unsure')", name="verdict"),
)

run = Table(
    "run",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("model", Text),
    Column("state", Text, nullable=False),
    Column("counts", JSONB, nullable=False, server_default=text("'{}'")),
    Column(
        "loads", JSONB, nullable=False, server_default=text("'{}'")
    ),  # source -> the last staged load the run looked at
    Column("stages", JSONB, nullable=False, server_default=text("'{}'")),
    Column("error", Text),
    Column("started_at", Moment, nullable=False, server_default=func.now()),
    Column("finished_at", Moment),
    Column("published_at", Moment),  # since when the hub knows what the run published: `known_from` of its rows
    Column("plan", JSONB, nullable=False, server_default=text("'{}'")),  # by type, reasons, examples, digest, alarms
    Column("feeds", JSONB, nullable=False, server_default=text("'[]'")),  # what the run knew of the declared sources
    Column("about", BigInteger),  # the held run that was accepted, or the run that was rolled back
    Column("by", Text),  # who accepted or rolled back
)

code_serial = Sequence("code_serial", metadata=metadata)

entity = Table(
    "entity",
    metadata,
    Column("code", Text, primary_key=True),
    Column("type", Text, nullable=False),
    Column("kind", Text, nullable=False, server_default=text("''")),
    Column("status", Text, nullable=False, server_default=text("'active'")),
    Column("merged_into", Text),
    Column("division", Text),
    Column("grid", Text),  # null: no grid, a value that shows
    Column("basis", Text),  # by which rule (division, grid) was found
    Column("records", Integer, nullable=False, server_default=text("0")),
    Column("sources", Integer, nullable=False, server_default=text("0")),
    Column("created_run", BigInteger, nullable=False),
    Column("changed_run", BigInteger, nullable=False),
    CheckConstraint("status IN ('active', 'merged', 'retired')", name="status"),
    Index(None, "type", "kind", "status"),
)

entity_version = Table(
    "entity_version",  # what an entity was until `until_run` changed it; what it is stands in `entity`
    metadata,
    Column("code", Text, primary_key=True),
    Column("until_run", BigInteger, primary_key=True),
    Column("status", Text, nullable=False),
    Column("merged_into", Text),
    Column("division", Text),
    Column("grid", Text),
    Column("basis", Text),
    Column("records", Integer, nullable=False),
    Column("sources", Integer, nullable=False),
    Column("changed_run", BigInteger, nullable=False),
    Index(None, "until_run"),
)

entity_value = Table(
    "entity_value",  # the golden values; what they won against stands in the member records
    metadata,
    Column("code", Text, nullable=False),
    Column("property", Text, nullable=False),
    Column("value", Text),
    Column("sealed", Sealed),
    Column("sensitivity", SmallInteger, nullable=False),
    Column("record", BigInteger),  # the record that gave it
    Column("rule", Text, nullable=False),  # the survivorship rule that decided
    Column("agree", SmallInteger, nullable=False, server_default=text("1")),  # records that say the same
    Column("differ", SmallInteger, nullable=False, server_default=text("0")),  # records that say otherwise
    *_known(),
    Index("ix_entity_value_current", "code", "property", unique=True, postgresql_where=text("known_to IS NULL")),
    Index("ix_entity_value_past", "code", postgresql_where=text("known_to IS NOT NULL")),
)

membership = Table(
    "membership",
    metadata,
    Column("record", BigInteger, nullable=False),
    Column("type", Text, nullable=False),
    Column("kind", Text, nullable=False, server_default=text("''")),
    Column("code", Text, nullable=False),
    Column("how", Text, nullable=False),
    Column("weight", Float),
    Column("run", BigInteger, nullable=False),
    *_known(),
    Index("ix_membership_current", "record", "type", "kind", unique=True, postgresql_where=text("known_to IS NULL")),
    Index("ix_membership_code", "code"),
    Index("ix_membership_past", "record", postgresql_where=text("known_to IS NOT NULL")),
)

relation = Table(
    "relation",
    metadata,
    Column("code", Text, nullable=False),
    Column("relation", Text, nullable=False),
    Column("to_code", Text, nullable=False),
    Column("record", BigInteger),
    Column("run", BigInteger, nullable=False),
    *_known(),
    Index("ix_relation_current", "code", "relation", "to_code", unique=True, postgresql_where=text("known_to IS NULL")),
    Index("ix_relation_to", "to_code", "relation"),
    Index("ix_relation_past", "code", postgresql_where=text("known_to IS NOT NULL")),
)

alias = Table(
    "alias",
    metadata,
    Column("scheme", Text, nullable=False),  # resident_id, uscc, component, grid, division, household_number, ...
    Column("version", Text, nullable=False, server_default=text("''")),
    Column("value", Text),  # plain where the property may be plain
    Column("blind", LargeBinary),  # keyed blind index where it may not
    Column("code", Text, nullable=False),
    *_known(),
    CheckConstraint("(value IS NULL) <> (blind IS NULL)", name="one_form"),
    Index("ix_alias_value", "scheme", "value", postgresql_where=text("value IS NOT NULL")),
    Index("ix_alias_blind", "scheme", "blind", postgresql_where=text("blind IS NOT NULL")),
    Index(None, "code"),
)

search_key = Table(
    "search_key",
    metadata,
    Column("token", Text, primary_key=True),
    Column("code", Text, primary_key=True),
)

ask_person = Table(
    "ask_person",  # what the records of a person say, kept short for weighing who is asked for
    metadata,
    Column("person", BigInteger, primary_key=True, autoincrement=False),  # the serial of the code
    Column("code", Text, nullable=False),
    Column("division", Text),
    Column("digest", BigInteger, nullable=False),  # keyed, of all that is kept
    Column("tokens", ARRAY(BigInteger), nullable=False),  # what it is found by, so that what is to go is known
    Column("body", Sealed, nullable=False),  # JSON
)

ask_key = Table(
    "ask_key",
    metadata,
    Column("token", BigInteger, primary_key=True, autoincrement=False),  # a keyed digest
    Column("person", BigInteger, primary_key=True, autoincrement=False),
)

ask_home = Table(
    "ask_home",
    metadata,
    Column("dwelling", BigInteger, primary_key=True, autoincrement=False),  # the digest of what its address means
    Column("code", Text, primary_key=True),
)

ask_head = Table(
    "ask_head",  # what addresses are headed by, and the head they mean; area '' says which version made all of this
    metadata,
    Column("area", Text, primary_key=True),
    Column("text", Text, primary_key=True),
    Column("head", Text, nullable=False),
)

comparison = Table(
    "comparison",  # a list that is compared, and its result: sealed, and gone after a day
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("token", BigInteger, nullable=False),  # whose list it is: nobody else sees that it exists
    Column("purpose", Text),
    Column("origin", Text),
    Column("spec", JSONB, nullable=False),  # name of the file, map, properties shown
    Column("state", Text, nullable=False, server_default=text("'waiting'")),
    Column("rows", Integer, nullable=False, server_default=text("0")),
    Column("done", Integer, nullable=False, server_default=text("0")),
    Column("counts", JSONB, nullable=False, server_default=text("'{}'")),  # verdict -> rows
    Column("error", Text),
    Column("upload", Sealed),  # the list, base64; null as soon as it is compared
    Column("at", Moment, nullable=False, server_default=func.now()),
    Column("moved_at", Moment, nullable=False, server_default=func.now()),
    Column("expires_at", Moment, nullable=False),
    CheckConstraint("state IN ('waiting', 'running', 'done', 'failed')", name="state"),
)

comparison_page = Table(
    "comparison_page",
    metadata,
    Column("comparison", BigInteger, ForeignKey("comparison.id", ondelete="CASCADE"), primary_key=True),
    Column("page", Integer, primary_key=True),
    Column("body", Sealed, nullable=False),  # JSON: lines of the result
)

change = Table(
    "change",
    metadata,
    Column("sequence", BigInteger, Identity(), primary_key=True),
    Column("run", BigInteger, nullable=False),
    Column("code", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("change", Text, nullable=False),  # created | absorbed | merged | split | moved | retired
    Column("diff", JSONB, nullable=False, server_default=text("'{}'")),  # names of properties and codes, no values
    Column("division", Text),
    Column("grid", Text),
    Column("at", Moment, nullable=False, server_default=func.now()),
    Index(None, "code"),
    Index(None, "run"),
)

review_task = Table(
    "review_task",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("type", Text, nullable=False),
    Column("kind", Text, nullable=False),  # uncertain | one_number | rivals
    Column("code", Text, nullable=False),
    Column("parts", JSONB, nullable=False),  # lists of records: the entity as it surely stands, then each candidate
    Column("weight", Float),
    Column("reason", Text, nullable=False),
    Column("division", Text),
    Column("grid", Text),
    Column("owner", Text),
    Column("eyes", SmallInteger, nullable=False, server_default=text("1")),  # people who must agree
    Column("state", Text, nullable=False, server_default=text("'open'")),
    Column("claimed_by", Text),
    Column("claimed_at", Moment),
    Column("run", BigInteger, nullable=False),
    Column("at", Moment, nullable=False, server_default=func.now()),
    Column("closed_at", Moment),
    CheckConstraint("state IN ('open', 'claimed', 'second', 'settled', 'closed')", name="state"),
    Index(None, "state", "division"),
    Index(
        "uq_review_task_standing",
        "code",
        "kind",
        unique=True,
        postgresql_where=text("state IN ('open', 'claimed', 'second')"),
    ),
)

review_answer = Table(
    "review_answer",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("task", BigInteger, ForeignKey("review_task.id"), nullable=False),
    Column("by", Text, nullable=False),
    Column("verdicts", JSONB, nullable=False),  # of each candidate in turn: same | different | unsure
    Column("reason", Text, nullable=False),
    Column("at", Moment, nullable=False, server_default=func.now()),
    Column("undone_at", Moment),
    Index(None, "task"),
)

quality_result = Table(
    "quality_result",
    metadata,
    Column("load", BigInteger, primary_key=True),
    Column("source", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("division", Text, primary_key=True),  # of the rows counted, as far as the feed tells
    Column("grid", Text, primary_key=True, server_default=text("''")),
    Column("type", Text, primary_key=True),
    Column("role", Text, primary_key=True, server_default=text("''")),
    Column("property", Text, primary_key=True),
    Column("rule", Text, primary_key=True),
    Column("dimension", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("evaluated", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("at", Moment, nullable=False, server_default=func.now()),
    Index(None, "source", "load"),
)

access_event = Table(
    "access_event",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("at", Moment, nullable=False, server_default=func.now()),
    Column("actor", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("department", Text),
    Column("purpose", Text),
    Column("act", Text, nullable=False),
    Column("code", Text),
    Column("properties", JSONB, nullable=False, server_default=text("'[]'")),
    Column("origin", Text),
    Index(None, "code"),
)

api_token = Table(
    "api_token",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("name", Text, nullable=False),
    Column("hash", LargeBinary, nullable=False),  # SHA-256 of a secret of 256 random bits
    Column("role", Text, nullable=False),
    Column("department", Text),
    Column("division", Text, nullable=False),  # the part of division codes that all it may see begin with
    Column("numbers", Boolean, nullable=False, server_default=text("false")),  # sees id and phone numbers unmasked
    Column("created_at", Moment, nullable=False, server_default=func.now()),
    Column("expires_at", Moment, nullable=False),
    Column("revoked_at", Moment),
    UniqueConstraint("hash"),
    CheckConstraint("role IN ('worker', 'department', 'officer', 'auditor', 'monitor', 'reconciler')", name="role"),
)

audit_seal = Table(
    "audit_seal",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("first_event", BigInteger, nullable=False),
    Column("last_event", BigInteger, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("previous", LargeBinary),
    Column("at", Moment, nullable=False, server_default=func.now()),
)

hub = Table(
    "hub",  # one row: which of all hubs this one is
    metadata,
    Column("one", Boolean, primary_key=True, server_default=text("true")),
    Column("id", Text, nullable=False, server_default=text("gen_random_uuid()::text")),
    Column("number", SmallInteger, nullable=False, server_default=text("0")),  # whose serials are its own to issue
    CheckConstraint("one", name="one"),
)

webhook = Table(
    "webhook",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("name", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("secret", Sealed, nullable=False),
    Column("area", Text, nullable=False),  # what the divisions of all it is told of begin with
    Column("filters", JSONB, nullable=False, server_default=text("'{}'")),
    Column("position", BigInteger, nullable=False),  # the last change that a delivery holds
    Column("made_by", Text, nullable=False),
    Column("made_at", Moment, nullable=False, server_default=func.now()),
    Column("ended_at", Moment),
)

webhook_delivery = Table(
    "webhook_delivery",  # what is to be sent, or was; its body follows from the changes between `after` and `upto`
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("webhook", BigInteger, ForeignKey("webhook.id"), nullable=False),
    Column("after", BigInteger, nullable=False),
    Column("upto", BigInteger, nullable=False),
    Column("events", Integer, nullable=False),
    Column("state", Text, nullable=False, server_default=text("'pending'")),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("due", Moment, nullable=False, server_default=func.now()),
    Column("said", Text),  # what the last attempt met: a status or the kind of failure
    Column("made_at", Moment, nullable=False, server_default=func.now()),
    Column("done_at", Moment),
    CheckConstraint("state IN ('pending', 'delivered', 'dead')", name="state"),
    Index("ix_webhook_delivery_open", "webhook", "id", postgresql_where=text("state <> 'delivered'")),
)

package = Table(
    "package",  # what was handed down, to whom, up to which change
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("receiver", Text, nullable=False),
    Column("area", Text, nullable=False),
    Column("grid", Text),
    Column("after", BigInteger, nullable=False),
    Column("upto", BigInteger, nullable=False),
    Column("lines", Integer, nullable=False),
    Column("digest", Text, nullable=False),  # SHA-256 of the manifest
    Column("made_at", Moment, nullable=False, server_default=func.now()),
    Index(None, "receiver", "area"),
)

APPEND_ONLY = ("access_event", "audit_seal")
FOR_AUDITOR = ("source", "load", "quality_result", "run", "access_event", "audit_seal")
