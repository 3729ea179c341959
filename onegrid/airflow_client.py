"""Airflow's REST API, as far as the hub asks it: start runs, and see what became of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import httpx

from onegrid.airflow_home import ADMINISTRATOR, AirflowFailed, AirflowHome

TIMEOUT_S = 30.0
UNDER_WAY = ("queued", "running")
PAGE = 100


class AirflowClient:
    """Logged in as the administrator whose first password the home keeps."""

    def __init__(self, home: AirflowHome) -> None:
        self._http = httpx.Client(base_url=home.url, timeout=TIMEOUT_S)
        who = {"username": ADMINISTRATOR, "password": home.password_file.read_text("utf-8").strip()}
        answer = self._http.post("/auth/token", json=who)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            raise AirflowFailed(
                f"Airflow refuses its administrator: {home.password_file} holds a password that was changed since."
            )
        answer.raise_for_status()
        self._http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def dags(self) -> set[str]:
        """The ids of all DAGs that Airflow knows by now."""
        return {found["dag_id"] for found in self._all("/api/v2/dags", "dags")}

    def trigger(self, dag: str) -> str:
        """Starts a run; its id."""
        answer = self._http.post(f"/api/v2/dags/{dag}/dagRuns", json={"logical_date": None})
        answer.raise_for_status()
        return str(answer.json()["dag_run_id"])

    def under_way(self, dags: Iterable[str]) -> list[str]:
        """Which of these have a run that has not ended."""
        runs = self._all("/api/v2/dags/~/dagRuns", "dag_runs", state=list(UNDER_WAY))
        running = {found["dag_id"] for found in runs}
        return [dag for dag in dags if dag in running]

    def tries(self, dag: str, run: str) -> int:
        """How often the tasks of a run were begun anew."""
        found = self._all(f"/api/v2/dags/{dag}/dagRuns/{run}/taskInstances", "task_instances")
        return sum(max(0, int(task["try_number"]) - 1) for task in found)

    def close(self) -> None:
        """Ends the connections."""
        self._http.close()

    def _all(self, path: str, name: str, **more: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            answer = self._http.get(path, params={"limit": PAGE, "offset": len(found), **more})
            answer.raise_for_status()
            page = answer.json()
            found += page[name]
            if len(found) >= page["total_entries"] or not page[name]:
                return found
