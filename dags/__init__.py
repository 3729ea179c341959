"""Airflow: one DAG a source file, one that unifies, one that keeps house. Wiring and nothing more."""
