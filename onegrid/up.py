"""The hub as one program: database, Airflow and API, started, watched and stopped together."""
