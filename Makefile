.PHONY: setup demo test faults check bench mutate format lock traceability

PYTHON := .venv/bin/python
READY := .venv/.ready

setup: ## .venv from the lock, and Kafka and Temporal in the cache
	@infra/setup.sh
	@touch $(READY)

$(READY): requirements.lock pyproject.toml infra/setup.sh infra/system-packages.txt
	@$(MAKE) --no-print-directory setup

demo: $(READY) ## one simulated attack through all seven stages
	@.venv/bin/leerp demo

test: $(READY) ## every test, on real services
	@$(PYTHON) -m infra.services.artefacts
	@$(PYTHON) -m pytest --numprocesses 2 --dist loadfile

faults: $(READY) ## every fault case in full: a storm of 200,000 and 20 repetitions, hours
	@$(PYTHON) -m pytest tests/faults --long --hypothesis-profile exploring

check: $(READY) ## style, types, layers, traceability
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check --quiet .
	@.venv/bin/mypy
	@.venv/bin/lint-imports
	@$(PYTHON) docs/make_traceability.py --check

bench: $(READY) ## what this machine reaches, against controls in the same run, in short form
	@$(PYTHON) -m infra.services.artefacts
	@.venv/bin/leerp bench intake --short
	@.venv/bin/leerp bench campaign --short

mutate: $(READY) ## whether the tests tell wrong rules from right ones, half an hour to two
	@.venv/bin/mutmut run --max-children 2
	@$(PYTHON) docs/mutation.py

format: $(READY)
	@.venv/bin/ruff check --fix --quiet . || true
	@.venv/bin/ruff format --quiet .

traceability: $(READY)
	@$(PYTHON) docs/make_traceability.py

lock: ## after a change of dependencies; needs uv
	@uv lock --quiet
	@uv export --quiet --no-emit-project --all-groups --no-header --output-file requirements.lock
