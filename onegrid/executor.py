"""Airflow's LocalExecutor with the hub's libraries loaded before its workers are forked.

Great Expectations, Splink, DuckDB and pandas take seconds to load; a task that is a fork of a process that has them
begins at once, and they lie in memory once for all.
"""

from __future__ import annotations

from importlib import import_module

from airflow.executors.local_executor import LocalExecutor

LIBRARIES = (
    "great_expectations",
    "splink",
    "duckdb",
    "pandas",
    "pyarrow.parquet",
    "rapidfuzz",
    "sqlalchemy.dialects.postgresql.psycopg",
    "onegrid.scheduled",
    "connectors.land",
    "quality.check",
    "registry.stage",
    "registry.unify",
    "matching.people",
    "matching.places",
)


class WarmExecutor(LocalExecutor):  # type: ignore[misc]
    """A LocalExecutor whose tasks need not load what every one of them uses."""

    def start(self) -> None:
        """Load, then fork the workers."""
        for name in LIBRARIES:
            import_module(name)
        super().start()
