# Every target sets up what it needs; a stamp inside .venv makes the second call a matter of milliseconds.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
BIN := .venv/bin
UV := $(BIN)/uv
export UV_NO_CONFIG := 1
export VIRTUAL_ENV := $(CURDIR)/.venv
# Images for building often forbid bytecode; the tests start hundreds of processes, each of which would compile anew
# what it imports and so take twice as long to start.
unexport PYTHONDONTWRITEBYTECODE

INSTALL := $(UV) pip install --quiet --require-hashes
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--custom-compile-command "make lock"
PURPOSES := setup run demo otel test docs
RELEASE := .venv/release/bin
# Only what has the form of a secret, and nobody is asked whether it is one that works.
KINGFISHER := --no-validate --no-update-check --git-history none --redact --quiet
LOCKS = $(wildcard requirements/*.txt)
RUN_PACKAGES = $(shell sed -nE 's/^([A-Za-z0-9._-]+)==.*/\1/p' requirements/run.txt)
# What `make test ARGS="-k order"` and `make demo ARGS="--records 1000"` pass on.
ARGS ?=
MINUTES ?= 30

.PHONY: help setup demo test long soak image-check bench check audit release-check docs reference locks lock fmt clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22

setup: .venv/.run ## the virtual environment with the `kmbridge` command in it

# The machine's uv makes the environment where there is one; else pip fetches the locked one.
$(UV): requirements/setup.txt
	@echo "setup: $(CURDIR)/.venv"
	@if command -v uv >/dev/null; then \
		uv venv --quiet --allow-existing --python $(PYTHON) .venv; \
		uv pip install --quiet --require-hashes -r requirements/setup.txt; \
	else \
		$(PYTHON) -m venv .venv; \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/setup.txt; \
	fi
	@touch $@

.venv/.run: $(UV) requirements/run.txt pyproject.toml
	@$(INSTALL) -r requirements/run.txt
	@$(UV) pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.demo: .venv/.run requirements/demo.txt
	@$(INSTALL) -r requirements/demo.txt
	@touch $@

.venv/.test: .venv/.run requirements/test.txt
	@$(INSTALL) -r requirements/test.txt
	@touch $@

# Apart from the product's environment, whose versions these tools have no say in.
.venv/.release: $(UV) requirements/release.txt
	@$(UV) venv --quiet --allow-existing --python $(PYTHON) $(dir $(RELEASE))
	@$(UV) pip install --quiet --require-hashes --python $(RELEASE)/python -r requirements/release.txt
	@touch $@

demo: .venv/.demo ## mirror 20,000 records between two embedded servers and prove parity
	@$(BIN)/kmbridge demo $(ARGS)

test: .venv/.test ## all tests but the long ones, against a real broker and a real Kinesis server
	@$(BIN)/python -m tests.support.provision
	@$(BIN)/python -m pytest -n 4 --dist worksteal $(ARGS)

long: .venv/.test ## the long tests, at full size
	@$(BIN)/python -m tests.support.provision
	@$(BIN)/python -m tests.support.base_image
	@$(BIN)/python -m pytest -m long --timeout 0 $(ARGS)

soak: .venv/.test ## half an hour of steady load with a fault every minute (MINUTES=30)
	@$(BIN)/python -m tests.support.provision
	@KMBRIDGE_SOAK_MINUTES=$(MINUTES) $(BIN)/python -m pytest -m soak --timeout 0 tests/end_to_end/soak $(ARGS)

image-check: .venv/.test ## the image of the Dockerfile, built and run without a container engine (as root, on Debian)
	@$(BIN)/python -m tests.support.base_image
	@$(BIN)/python -m pytest -m "image and not long" tests/end_to_end/test_image.py $(ARGS)

bench: .venv/.test ## throughput, CPU and memory beside a hand-written loop
	@$(BIN)/python -m tests.support.provision
	@$(BIN)/python -m bench $(ARGS)

check: .venv/.test .venv/.release locks ## style, types, import directions, locks up to date, secrets, licences
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(UV) pip check --quiet
	@$(RELEASE)/pip-licenses --python=$(BIN)/python --packages $(RUN_PACKAGES) >/dev/null
	@$(RELEASE)/check-jsonschema --quiet --builtin-schema vendor.compose-spec deploy/compose/compose.yaml
	@git ls-files -z | xargs -0 $(RELEASE)/kingfisher scan $(KINGFISHER)

audit: .venv/.release ## known weaknesses of what is locked, by the advisories of PyPI (takes the network)
	@for lock in $(LOCKS); do $(RELEASE)/pip-audit --strict --progress-spinner off --disable-pip --require-hashes -r $$lock; done

release-check: .venv/.test .venv/.release ## wheel, sdist and bill of materials into dist/, if they can be published
	@$(RELEASE)/python -m release

# A lock is up to date when compiling it again, with its own pins preferred, changes nothing.
locks: $(UV)
	@fresh=$$(mktemp -d); trap 'rm -rf "$$fresh"' EXIT; \
	cp -R Makefile pyproject.toml requirements "$$fresh"; \
	$(MAKE) -C "$$fresh" lock UV="$(abspath $(UV))"; \
	diff -r requirements "$$fresh/requirements" || { echo "requirements/ is out of date: run 'make lock'" >&2; exit 1; }

lock: $(if $(wildcard $(UV)),,$(UV)) ## pin requirements/*.txt anew (ARGS=--upgrade for newer versions)
	@$(COMPILE) $(ARGS) pyproject.toml -o requirements/run.txt
	@$(COMPILE) $(ARGS) pyproject.toml --extra demo -c requirements/run.txt -o requirements/demo.txt
	@$(COMPILE) $(ARGS) pyproject.toml --extra otel -c requirements/demo.txt -o requirements/otel.txt
	@$(COMPILE) $(ARGS) pyproject.toml --extra schemas -c requirements/otel.txt -o requirements/schemas.txt
	@$(COMPILE) $(ARGS) pyproject.toml --extra demo --extra otel --extra schemas --group test -c requirements/schemas.txt \
		-c requirements/otel.txt -c requirements/demo.txt -o requirements/test.txt
	@$(COMPILE) $(ARGS) --group setup -c requirements/test.txt -o requirements/setup.txt
	@$(COMPILE) $(ARGS) --group docs -o requirements/docs.txt
	@$(COMPILE) $(ARGS) --group release -o requirements/release.txt

docs: $(UV) ## docs/ as a site, in site/
	@$(UV) venv --quiet --allow-existing --python $(PYTHON) .venv/docs
	@$(UV) pip install --quiet --require-hashes --python .venv/docs/bin/python -r requirements/docs.txt
	@# With --quiet mkdocs does not count the warnings that strict makes errors of.
	@told=$$(NO_MKDOCS_2_WARNING=1 .venv/docs/bin/mkdocs build 2>&1) || { echo "$$told" >&2; exit 1; }

reference: .venv/.run ## the tables of docs/configuration.md and docs/metrics.md, made from the code
	@$(BIN)/python -m bridge.config.reference docs/configuration.md
	@$(BIN)/python -m tests.support.metric_table

fmt: .venv/.test ## format, and mend what can be mended by itself
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix

clean: ## remove the environment and every cache in the checkout
	rm -rf .venv build dist site .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
