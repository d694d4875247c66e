# Everything a developer does here. `make help` prints the lines with two hashes.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help demo test check unit docs fuzz bench bench-batch verdicts pictures format base engine images clean

help: ## What can be made
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(INSTALLED): pyproject.toml
	$(PYTHON) scripts/make_venv.py $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,local]'
	@touch $@

demo: $(INSTALLED) ## Start an exercise, fail its check, mend it, pass
	scripts/demo $(BIN)/grader

test: check ## Lint, types and every test (Docker tests need an engine)
	$(BIN)/python -m pytest

check: $(INSTALLED) ## Lint and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

unit: $(INSTALLED) ## The tests that need no engine and take seconds
	$(BIN)/python -m pytest tests/unit

bench: $(INSTALLED) ## What a learner waits for, beside plain pytest
	$(BIN)/python bench/run.py

bench-batch: $(INSTALLED) ## How many submissions a minute a class takes
	$(BIN)/python -m bench.batch

verdicts: $(INSTALLED) ## 300 runs of every exercise must give 300 equal verdicts (an hour)
	$(BIN)/python bench/verdicts.py

fuzz: $(INSTALLED) ## 10,000 hostile inputs for each reader of outside data (an hour)
	$(BIN)/python -m pytest tests/fuzz --hypothesis-profile=fuzz --durations=40

pictures: $(INSTALLED) ## The pictures of docs/learner.md, from real sessions (needs tmux)
	scripts/pictures $(BIN)/grader $(BIN)/python

format: $(INSTALLED) ## Lay the code out
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(INSTALLED) ## What is made from the source: docs/fixtures.md
	$(BIN)/python scripts/fixtures.py > docs/fixtures.md

base: ## The base image, from a registry or a Debian mirror
	scripts/base-image

engine: ## A Docker engine on this Debian machine (as root)
	scripts/start-engine

images: $(INSTALLED) base ## Every image that exercises need
	$(BIN)/grader images build

clean: ## What was made here, except images
	rm -rf $(VENV) demo build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
