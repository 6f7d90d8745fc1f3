# The two commands that matter: `make demo` and `make test`. Each prepares the environment first, from the lock.
# PYTHON may name any Python >= 3.11; bootstrap.py needs nothing but its standard library.

PYTHON ?= python3
RUN := $(PYTHON) bootstrap.py run

.PHONY: help install demo test lint format soak bench bench-load bench-matching lock openapi clean

help:
	@echo "make demo      the main road on embedded servers (PAIR= SCALE= ROLLBACK=1 KEEP=1 DEMO_JSON=path SOURCE=dir)"
	@echo "make test      every check and test"
	@echo "make lint      ruff, mypy, import rules      make format   apply ruff's formatting"
	@echo "make soak      endurance tests, minutes      make bench    measurements"
	@echo "make bench-load  answer times under a run    make bench-matching  figures of the field matcher"
	@echo "make lock      resolve dependencies anew     make openapi  write openapi/tranship.json"
	@echo "make install   the environment only          make clean    remove what these commands built"

install:
	@$(PYTHON) bootstrap.py install

# The variables named under `help` reach the command through the environment.
demo:
	@$(RUN) tranship demo

test: lint
	@$(RUN) pytest -n 2 --dist loadfile --no-loadscope-reorder --ignore=tests/bench tests

lint:
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .
	@$(RUN) mypy
	@$(RUN) lint-imports
	@$(RUN) tranship openapi --output openapi/tranship.json --check --since HEAD

format:
	@$(RUN) ruff format .
	@$(RUN) ruff check --fix .

# SOAK_SCHEDULES= how many, SOAK_FROM= go on from this seed, SOAK_RECORDS= source records, SOAK_DIR= where figures stay,
# SOAK_STREAMS= schedules of a pair at a time (3): most of a schedule is waiting, so six share two cores well
soak:
	@$(RUN) pytest -n 6 -m soak --ignore=tests/bench tests

bench:
	@$(RUN) python -m tests.bench

# The API's answer times at 100 requests/s while 100,000-record runs go to the bench's sink; two minutes
bench-load:
	@$(RUN) python -m tests.bench.load $(LOAD)

# Figures of the field matcher on sources it has not seen; minutes. Training: python -m tests.bench.matching.train --write
bench-matching:
	@$(RUN) python -m tests.bench.matching

# requirements.lock is for development and tests, requirements-runtime.lock (same versions, no tools) for the image.
lock:
	@$(RUN) uv pip compile pyproject.toml --extra dev --extra otel --generate-hashes --universal --python-version 3.11 \
		--no-emit-index-url --no-header -q -o requirements.lock
	@$(RUN) uv pip compile pyproject.toml --extra otel -c requirements.lock --generate-hashes --universal --python-version 3.11 \
		--no-emit-index-url --no-header -q -o requirements-runtime.lock

openapi:
	@$(RUN) tranship openapi --output openapi/tranship.json

clean:
	@$(PYTHON) bootstrap.py clean
