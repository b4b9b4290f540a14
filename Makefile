# photojury: `make demo` runs the main job on real photographs, `make test` checks everything.
# Both set up a virtual environment in .venv on first use; nothing else on the machine is touched.

PYTHON ?= python3
BIN := .venv/bin
FOLDERS := photojury collect annotate analysis baselines datasets

.DEFAULT_GOAL := help
.PHONY: help demo test lint types bench clean

help:  ## show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 10

# The stamp names what the environment was made from, so that a changed dependency remakes it.
.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "photojury needs Python 3.11 or newer; try: make PYTHON=python3.12 ...")'
	@echo 'installing into .venv, once (torch is large: some minutes on a slow line)'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@

demo: .venv/ready  ## run the whole chain on real photographs; ends with a report to open
	rm -rf demo-study
	$(BIN)/photojury demo

test: lint types  ## lint, types and every test
	$(BIN)/python -m pytest -n 2 --dist loadfile

lint: .venv/ready  ## style and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/ready  ## strict types, over one tree named photojury (git-ignored links)
	mkdir -p .typing/photojury
	ln -sfn $(wildcard $(CURDIR)/photojury/*.py) $(CURDIR)/photojury/py.typed .typing/photojury/
	for d in collect annotate analysis baselines datasets; do ln -sfn $(CURDIR)/$$d .typing/photojury/$$d; done
	$(BIN)/mypy

bench: .venv/ready  ## speed against peers, as ratios
	for f in benchmarks/*.py; do $(BIN)/python $$f || exit 1; done

clean:  ## remove what make made
	rm -rf .venv .typing .mypy_cache .ruff_cache .pytest_cache demo-study demo-rated
