# Kho dữ liệu dùng chung của tỉnh · The shared provincial data warehouse
#   make run     everything from nothing: venv, dependencies, warehouse, sandbox province, pipeline, result
#   make test    everything the tests need, then all tests
#   make nightly  many more of the tests that draw: 200 faults done to runs, 400 hostile files
#   make superset  Superset with the datasets, indicators and dashboards of the warehouse, on 127.0.0.1
#   make spark   Apache Spark into the virtual environment, for datasets that a cluster cleans
#   make dev     the Dagster UI over the same runs
#   make bench   speed beside the raw limit and its peers; make bench-readers: questions while a load publishes
#   make clean   stop the servers and remove what was made here

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
export DX_HOME ?= $(CURDIR)/.dx
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: run test nightly lint superset superset-lock spark spark-lock dev bench bench-readers bench-lock clean lock
.DEFAULT_GOAL := run

run: $(READY)
	@$(BIN)/dx quickstart

# Files side by side, one a core, the long ones first (tests/conftest.py): no core waits for the last file.
test: $(READY)
	@$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

nightly: $(READY)
	@DX_FAULTS=$${DX_FAULTS:-200} DX_HOSTILE_FILES=$${DX_HOSTILE_FILES:-400} \
		$(BIN)/python -m pytest -v tests/faults/test_random_faults.py tests/faults/test_hostile_files.py $(PYTEST_ARGS)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/sqlfluff lint warehouse_sql examples docs/questions

superset: $(READY)
	@$(BIN)/dx bi superset install
	@$(BIN)/dx bi superset up
	@$(BIN)/dx bi superset load

superset-lock: $(READY)
	$(BIN)/pip-compile --quiet --generate-hashes --no-strip-extras --allow-unsafe --no-header \
		--no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
		--output-file bi/superset/requirements.lock bi/superset/requirements.in

spark: $(READY)
	@$(BIN)/python -m pip install --quiet --no-compile --require-hashes --requirement deploy/spark/requirements.lock

spark-lock: $(READY)
	$(BIN)/pip-compile --quiet --generate-hashes --no-strip-extras --allow-unsafe --no-header \
		--no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
		--output-file deploy/spark/requirements.lock deploy/spark/requirements.in

dev: $(READY)
	@$(BIN)/dx dev

# The peers' libraries have a virtual environment of their own.
bench: $(READY) .venv-bench/.ready
	@$(BIN)/python -m benchmarks.run $(BENCH_ARGS)

bench-readers: $(READY)
	@$(BIN)/python -m benchmarks.readers $(BENCH_ARGS)

bench-lock: $(READY)
	$(BIN)/pip-compile --quiet --generate-hashes --no-strip-extras --allow-unsafe --no-header \
		--no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
		--output-file benchmarks/peers/requirements.lock benchmarks/peers/requirements.in

.venv-bench/.ready: benchmarks/peers/requirements.lock
	@echo "installing the peers into .venv-bench …"
	@$(PYTHON) -m venv .venv-bench
	@.venv-bench/bin/python -m pip install --quiet --require-hashes --requirement benchmarks/peers/requirements.lock
	@touch $@

clean:
	-@test ! -x $(BIN)/dx || $(BIN)/dx down
	rm -rf .dx $(VENV) .venv-superset .venv-bench .mypy_cache .ruff_cache .pytest_cache .hypothesis benchmarks/out

lock: $(READY)
	$(BIN)/pip-compile --quiet --extra dev --generate-hashes --no-strip-extras --allow-unsafe --no-header \
		--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --output-file requirements.lock pyproject.toml

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed, this is " + sys.version.split()[0] + "; name another one: make PYTHON=python3.12")'
	@echo "installing the pinned dependencies into $(VENV) …"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --no-compile --require-hashes --requirement requirements.lock
	@$(BIN)/python -m compileall -q -j 0 $(VENV)/lib >/dev/null || true  # on all cores; some files are of other Pythons
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@
