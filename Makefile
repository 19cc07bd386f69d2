# llmuses. `make run` and `make test` set everything up by themselves: all they need is Python 3.11, 3.12 or 3.13.

VENV ?= .venv
# lm-evaluation-harness lives apart: it is a peer to compare with, no part of llmuses.
PARITY_VENV ?= .venv-parity
HOST ?= 127.0.0.1
# Empty: 7860, or the next port that is free.
PORT ?=
# Passed on to the app, to pytest or to the benches.
ARGS ?=

# The first Python that fits; PYTHON=/path/to/python chooses another. Looked for only when something is to be installed.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' >/dev/null 2>&1 && echo $$p && break; done)

.PHONY: help run test lint format bench parity lock clean
.DEFAULT_GOAL := help

help: ## Show this list
	@echo "make TARGET, where TARGET is one of:"
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  \1|\2/p' Makefile | while IFS='|' read -r name words; do printf '%-10s %s\n' "$$name" "$$words"; done
	@echo "Variables: VENV=$(VENV) HOST=$(HOST) PORT=8000 PYTHON=python3.12 TORCH_INDEX=URL ARGS='...'"

run: $(VENV)/.ready-run ## Start the app (installs what it needs first): HOST, PORT
	@$(VENV)/bin/python app.py --host $(HOST) $(if $(PORT),--port $(PORT)) $(ARGS)

test: $(VENV)/.ready-test ## Run the whole test suite (installs what it needs first): ARGS='-k words'
	@$(VENV)/bin/python -m pytest -n auto --maxprocesses 4 --dist worksteal $(ARGS)

lint: $(VENV)/.ready-test ## Check style, types and floors: ruff, mypy, import-linter
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

format: $(VENV)/.ready-test ## Bring the code into ruff's shape
	$(VENV)/bin/ruff check --fix-only .
	$(VENV)/bin/ruff format .

bench: $(VENV)/.ready-test ## Measure speed and memory: each script in tests/benchmarks prints a table
	@for script in tests/benchmarks/bench_*.py; do \
		name=$$(basename $$script .py); echo "== $$name"; \
		$(VENV)/bin/python -m tests.benchmarks.$$name $(ARGS) || exit $$?; echo; done

parity: $(VENV)/.ready-run $(PARITY_VENV)/.ready-parity ## Compare with lm-evaluation-harness sample by sample (a CPU takes hours): ARGS='--limit 20' or --prompts
	@$(VENV)/bin/python -m tests.parity --harness $(PARITY_VENV)/bin/python $(ARGS)

lock: $(VENV)/.ready-test ## Write requirements.txt and requirements-dev.txt anew from pyproject.toml: UPGRADE=1
	$(VENV)/bin/python -m pip install --quiet uv
	$(VENV)/bin/python tools/lock.py $(if $(UPGRADE),--upgrade)

clean: ## Remove the environment, builds and caches; runs in outputs/ stay
	rm -rf $(VENV) $(PARITY_VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

$(VENV)/.ready-run: requirements.txt pyproject.toml tools/environment.py
	$(call set_up,$(VENV),run)

$(VENV)/.ready-test: requirements.txt requirements-dev.txt pyproject.toml tools/environment.py
	$(call set_up,$(VENV),test)

$(PARITY_VENV)/.ready-parity: tests/parity/requirements.txt requirements.txt tools/environment.py
	$(call set_up,$(PARITY_VENV),parity)

# The stamp is written last, so that an installation that stopped half-way is taken up again.
define set_up
	@python="$(PYTHON)"; test -n "$$python" || { \
		echo "llmuses needs Python 3.11, 3.12 or 3.13, and none was found as python3, python3.13, python3.12 or python3.11."; \
		echo "Debian, Ubuntu: apt-get install python3 python3-venv; macOS: brew install python@3.13; or make PYTHON=/path/to/python"; \
		exit 2; }; \
	"$$python" tools/environment.py "$(1)" $(2)
	@touch $@
endef
