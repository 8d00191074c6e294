# Two commands work in a fresh clone: `make demo` (Python alone) and `make test` (root on Debian for the mail servers).

# The system's own where it will do: distributions build Python with profile-guided optimisation, version managers
# mostly do not, and what is done here takes a quarter longer on theirs.
PYTHON ?= $(shell for python in /usr/bin/python3 python3; do \
  $$python -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo $$python && exit; \
  done; echo python3)
BIN := .venv/bin
# As an installation has it: a daemon that compiles itself at each start begins half a second later.
unexport PYTHONDONTWRITEBYTECODE
PIP = $(BIN)/python -m pip install -qq -c constraints.txt
# The build backends, ours and that of what comes as source, are installed first and pinned like all else; pip would
# fetch whatever is newest.
INSTALL = $(PIP) hatchling editables setuptools wheel && $(PIP) --no-build-isolation

.PHONY: demo test lint bench soak clean
.DELETE_ON_ERROR:

demo: .venv/.ready
	@$(BIN)/loket demo

# Packages first: they may bring what .venv is made with.
test:
	@tests/servers/install.sh
	@$(MAKE) --no-print-directory lint
	@$(BIN)/python -m pytest -q --durations=5 -n 2 --dist loadfile --no-loadscope-reorder

lint: .venv/.ready-dev
	@$(BIN)/ruff check -q daemon tests
	@$(BIN)/ruff format -q --check daemon tests
	@$(BIN)/mypy

# make bench PICTURE=docs/performance.svg draws them too.
# make bench QUICK=1 gives a first impression in a fraction of the time.
bench:
	@tests/servers/install.sh
	@$(MAKE) --no-print-directory .venv/.ready-dev
	@$(BIN)/python -m tests.bench $(if $(QUICK),--quick) $(if $(PICTURE),--picture $(PICTURE))

# Two hours of broken connections, or make soak MINUTES=10 of them.
soak:
	@tests/servers/install.sh
	@$(MAKE) --no-print-directory .venv/.ready-dev
	@$(BIN)/python -m tests.soak $(if $(MINUTES),--minutes $(MINUTES))

# The daemon's state under var/ is nobody's to clean.
clean:
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis dist
	@find daemon tests -name __pycache__ -prune -exec rm -rf {} +

.venv/.made:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
	  echo "loket needs Python 3.11, 3.12 or 3.13, and $(PYTHON) is $$($(PYTHON) -V 2>&1). Name another: make PYTHON=python3.12 …"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "$(PYTHON) cannot make virtual environments. On Debian: apt install python3-venv"; exit 1; }
	@$(PYTHON) -m venv .venv
	@touch $@

.venv/.ready: pyproject.toml constraints.txt | .venv/.made
	@echo "loket: installing what it runs on into .venv (once, about half a minute)"
	@$(INSTALL) -e .
	@touch $@

.venv/.ready-dev: pyproject.toml constraints.txt | .venv/.made
	@echo "loket: installing what it runs on and is tested with into .venv (once, about half a minute)"
	@$(INSTALL) -e '.[dev]'
	@touch $@ .venv/.ready
