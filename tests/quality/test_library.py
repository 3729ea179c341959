"""Great Expectations without Spark, whether that is installed or not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM = """
import sys
from quality.library import load
load()
import great_expectations
assert "pyspark" not in sys.modules, "pyspark was loaded"
from importlib.util import find_spec
find_spec("pyspark")  # may be found again
print("to the end")
"""


def test_the_process_goes_on_and_spark_is_not_loaded() -> None:
    """As `python -c`, where PySpark would end the process without a word."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "to the end\n"), done.stderr
