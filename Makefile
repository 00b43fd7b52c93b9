# One name for each thing that a person does here; `make` alone prints the list.
SHELL := /bin/sh
.DEFAULT_GOAL := help

# The first of these that is Python 3.11 to 3.13 makes the environment.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1 \
	&& { echo $$p; break; }; done)
VENV := .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif
RUN := PATH="$(CURDIR)/$(BIN):$$PATH" BENTOML_DO_NOT_TRACK=True BENTOML_HOME="$(CURDIR)/.bentoml"
UV_VERSION := 0.13.9

.PHONY: help setup repro studies test serve lint format lock docs readme bench attack audit bento clean

help: ## print this list
	@echo "Usage: make TARGET"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/.installed ## create .venv and install requirements.txt (others do this when needed)

$(VENV)/.installed: requirements.txt
	@if [ -z "$(PYTHON)" ]; then \
		echo "This project needs Python 3.11, 3.12 or 3.13 and found none; name one with: make PYTHON=/path/to/python3.12 ..."; exit 1; fi
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 11) <= v <= (3, 13) else "This project needs Python 3.11, 3.12 or 3.13; this is %d.%d" % v)'
	@echo "==> environment: $$($(PYTHON) --version) in $(VENV) (a minute or two the first time)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --requirements requirements.txt
	@touch $@

repro: setup ## run the whole pipeline: raw data in; models, metrics and reports out
	@test -e .git || { $(BIN)/dvc config --local core.no_scm true; \
		echo "No git here: the pipeline runs; dvc metrics diff, params diff, plots diff and exp need a clone."; }
	@$(RUN) dvc repro || { $(RUN) $(BIN)/python -m creditrisk doctor --mend 2>/dev/null && $(RUN) dvc repro; }

studies: setup ## run the long computations that are stale (about an hour for all on two cores)
	@$(RUN) dvc repro features
	@cd studies && $(RUN) dvc repro
	@echo "Now: make repro, which reads their results."

test: setup ## run the whole test suite
	@$(RUN) $(BIN)/python -m pytest -n 2 --dist loadfile

lint: setup ## ruff, types and the contracts between files
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(RUN) $(BIN)/python -m pytest -q tests/contract

serve: setup ## start the service on http://127.0.0.1:3000
	@$(RUN) $(BIN)/bentoml serve service:CreditDefault

bento: setup ## package model and service as a bento
	@$(RUN) $(BIN)/bentoml build

format: setup ## rewrite the code as ruff formats it
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

lock: setup ## compile requirements*.in into their pins
	@for name in requirements requirements-serve; do \
		$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest \
			--generate-hashes --no-emit-index-url --custom-compile-command "make lock" \
			$$(test $$name = requirements || echo "--constraints requirements.txt") $$name.in --output-file $$name.txt; done

docs: setup ## write docs/data-dictionary.csv and docs/pipeline.json from the code
	@$(BIN)/python -m creditrisk docs --write

readme: setup ## bring the numbers in Markdown files up to date with reports/metrics
	@$(BIN)/python -m creditrisk readme --write

bench: setup ## speed on this machine: families, resampling, DBSCAN, the pipeline, the service beside tutorial servers
	@$(RUN) $(BIN)/python -m benchmarks.ladder
	@$(RUN) $(BIN)/python -m benchmarks.statistics
	@$(RUN) $(BIN)/python -m benchmarks.density
	@$(RUN) $(BIN)/python -m benchmarks.pipeline
	@$(RUN) $(BIN)/python -m benchmarks.serving

attack: setup ## try to make the pipeline lie: kills, edits mid-run, flipped bytes… (an hour; ATTACKS="kill flip" for some)
	@$(RUN) $(BIN)/python -m tests.attack --full $(ATTACKS)

audit: setup ## known vulnerabilities of every pin (needs pypi.org); says how many were audited
	@$(RUN) $(BIN)/python -m creditrisk audit

clean: ## remove what runs leave behind, but no data and no results
	@rm -rf .bench .pytest_cache .ruff_cache .mypy_cache .hypothesis dvc_plots monitoring
