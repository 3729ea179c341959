# OneGrid. `make help` lists what there is to make.
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
SCALE ?= 1
DEMO ?= .demo

.DEFAULT_GOAL := help
.PHONY: help setup spark demo test test-all check docs bench clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

setup: $(VENV)/.ready ## make .venv with everything for use and tests

$(VENV)/.ready: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "OneGrid needs Python 3.11 or newer: install it, or name it with make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "OneGrid needs Python 3.11 or newer; $(PYTHON) is older. Name another with make PYTHON=/path/to/python3" >&2; exit 1; }
	@echo "Setting up $(VENV) (about a minute on a fast line) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@rm -f $(VENV)/.failed
	@{ $(BIN)/python -m pip install --disable-pip-version-check --no-deps -r requirements.lock || touch $(VENV)/.failed; } \
		| awk '/^Collecting/ {if (++n % 100 == 0) print "  " n " packages found"} /^Installing/ {print "  installing " n " packages"} {fflush()}'
	@test ! -e $(VENV)/.failed
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

spark: $(VENV)/.spark ## add PySpark, and a Java for machines without one, to .venv

$(VENV)/.spark: requirements-spark.lock $(VENV)/.ready
	@echo "Adding Spark to $(VENV) (half a minute on a fast line) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -r requirements-spark.lock
	@touch $@

demo: setup ## build the sample town, start its departments, run their feeds into a registry, print the summary (SCALE=1)
	@$(BIN)/onegrid demo --scale $(SCALE) --dir $(DEMO)

check: setup ## lint, formatting, types, import layers
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

test: check ## check, then the tests that take seconds
	@$(BIN)/python -m pytest -m "not slow" -n 2 --dist loadfile

test-all: setup spark ## every test, the slow ones and those on a Spark cluster too
	@$(BIN)/python -m pytest -n 2 --dist loadfile

docs: setup ## rewrite what the documents repeat of the code
	@$(BIN)/python docs/write.py

bench: setup ## measure the town at full scale: accuracy, time and memory by stage
	@$(BIN)/python -m bench.town --scale $(SCALE)

clean: ## remove the environment and what the demo left
	@rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache
