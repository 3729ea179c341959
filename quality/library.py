"""Great Expectations as it is used here: on frames of pandas alone.

It looks for PySpark while it is imported. Where that is installed (for matching on a cluster), PySpark takes seconds to load, warns of
this pandas, and ends the whole process, with success, when the main module is none of a file's (`python -c`, some
workers); so it is not to be found meanwhile.
"""

from __future__ import annotations

import sys
from functools import cache
from importlib import import_module


@cache
def load() -> None:
    """Import Great Expectations; after it, `import great_expectations` finds it loaded."""
    hidden = "pyspark" not in sys.modules
    if hidden:
        sys.modules["pyspark"] = None  # type: ignore[assignment] # the import system's own sign for: not to be found
    try:
        import_module("great_expectations")
        import_module("great_expectations.expectations")
        import_module("great_expectations.compatibility.pyspark")
    finally:
        if hidden:
            del sys.modules["pyspark"]
