# jobsd: every command does its own set-up; Python >= 3.11 with venv, and make, are all that a machine needs.
PYTHON ?= python3
KILLS ?= 1000
BIN := .venv/bin
STAMP := .venv/.current

.PHONY: venv run test years chaos fuzz check bench format lock docs

venv: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "jobsd needs Python 3.11 or newer; set PYTHON=")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

run: venv ## the daemon on the quick start's schedule, in the foreground
	$(BIN)/jobsd run -c examples/quickstart.yaml

test: venv ## the whole suite
	@$(BIN)/python -m compileall -q config jobsd recurrence runners scheduler # it starts hundreds of daemons
	$(BIN)/python -m pytest -n 4 --dist worksteal

chaos: venv ## the daemon is killed 1,000 times, at every named point and at random; KILLS= for more or fewer
	PYTHONPATH=.:tests/lib $(BIN)/python -m chaos --kills $(KILLS)

fuzz: venv ## 2,000 made-up requests for each face, others at each run (make test has 200, always the same)
	JOBSD_FUZZ_CASES=2000 $(BIN)/python -m pytest -n 2 --timeout 1800 tests/fuzz

years: venv ## ten simulated years of 200 jobs against a brute-force walk (make test has one)
	JOBSD_YEARS=10 $(BIN)/python -m pytest -s tests/scheduler/years

check: venv ## lint, format, types, imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: venv
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: venv ## next fire times against the peers, as ratios of one run
	$(BIN)/python benchmarks/recurrence.py

docs: venv ## the generated parts of docs/
	$(BIN)/python tools/generate_docs.py

lock: ## needs uv; writes no registry's address
	uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --group dev -c constraints.txt -o requirements.lock pyproject.toml
