# Everything runs from .venv, installed from the pinned lock files without resolving.
PYTHON ?= python3
BIN := .venv/bin
# Extra arguments for pip, e.g. an index with CPU builds of torch: make demo PIP_ARGS="--index-url ..."
PIP_ARGS ?=

.PHONY: demo test lint types bench charts sbom audit install dev clean

demo: .venv/run.stamp  ## talk with the artist; without a terminal a scripted fan does
	@if [ -t 0 ]; then exec $(BIN)/troubadour chat; else exec $(BIN)/troubadour chat < persona/demo.txt; fi

test: .venv/dev.stamp  ## every test, the slow ones included
	$(BIN)/python -m pytest

lint: .venv/dev.stamp  ## style, types, import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/hadolint deploy/Dockerfile

bench: .venv/dev.stamp  ## the figures of README and docs; hours where a bench says so
	$(BIN)/troubadour bench songs
	$(BIN)/troubadour bench voice
	$(BIN)/troubadour bench training

charts: .venv-charts/stamp  ## lints the Helm chart, renders it and holds it against Kubernetes' own schemas
	.venv-charts/bin/python deploy/helm/check.py

sbom: .venv-audit/stamp  ## the bill of materials of what users install, in CycloneDX: sbom.json
	.venv-audit/bin/cyclonedx-py requirements requirements/run.txt --pyproject pyproject.toml --output-reproducible\
 --of JSON -o sbom.json

audit: .venv-audit/stamp  ## known vulnerabilities of what users install, as PyPI knows them; needs the internet
	.venv-audit/bin/pip-audit --strict --no-deps --disable-pip -r requirements/run.txt

.venv-audit/stamp: requirements/audit.txt
	$(PYTHON) -m venv .venv-audit
	.venv-audit/bin/python -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) --no-deps -r requirements/audit.txt
	@touch $@

.venv-charts/stamp: requirements/charts.txt
	$(PYTHON) -m venv .venv-charts
	.venv-charts/bin/python -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) -r requirements/charts.txt
	@touch $@

install: .venv/run.stamp
dev: .venv/dev.stamp

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Troubadour needs Python 3.11 to 3.13")'
	$(PYTHON) -m venv .venv

.venv/run.stamp: requirements/run.txt pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) --no-deps -r requirements/run.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@$(BIN)/python -c 'import torch' 2>/dev/null || { echo "pip chose a torch build for GPUs, whose libraries are not\
 in the lock. Name PyTorch's index of CPU builds: make clean, then make demo PIP_ARGS=\"--extra-index-url ...\"" >&2; exit 1; }
	@touch $@

.venv/dev.stamp: requirements/dev.txt pyproject.toml .venv/run.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) --no-deps -r requirements/dev.txt
	@touch $@

clean:
	rm -rf .venv .venv-charts .venv-audit
