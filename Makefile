# The project's commands. `make run` and `make test` need git, make and python3 (3.11+) with venv.

PYTHON ?= python3
BIN := .venv/bin
RUNS := .venv/.runs
READY := .venv/.ready
AUDIT_LOG ?=
ONCE ?=
FUZZ_SECONDS ?= 60
MINUTES ?= 30

.PHONY: help run test check bench first-batch torture soak conformance fuzz vectors image-test systemd-test lock monitoring manifests cli-page clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 12

# The program alone; what tests and checks need comes on top of it.
$(RUNS): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; name it: make PYTHON=python3.12 ..." >&2; exit 2; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(READY): $(RUNS)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

run: $(RUNS) ## follow AUDIT_LOG=path (or a recording, live) into var/archive; ONCE=1 drains and exits
	@config/demo.sh "$(AUDIT_LOG)" "$(ONCE)"

test: $(READY) ## all tests
	$(BIN)/python -m pytest

check: $(READY) ## ruff, mypy --strict, import floors
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY) ## the figures, as a table (some minutes)
	$(BIN)/python -m bench

first-batch: $(RUNS) ## the README's first commands in a fresh copy, and the seconds that they take
	$(BIN)/python -m bench first-batch

torture: $(READY) ## the long randomised kill -9 run
	$(BIN)/python -m pytest tests/test_torture.py tests/s3/test_torture.py --torture-kills=60

soak: $(READY) ## MINUTES=30 of outages, reloads and restarts: memory, descriptors, every byte
	$(BIN)/python -m tests.soak $(MINUTES)

conformance: $(READY) ## agreement with other projects' own policy tests, and what disagrees (needs ../shared)
	$(BIN)/python -m tests.conformance

image-test: $(READY) ## build the image on a base of our own and run it (minutes; buildah, crun, mmdebstrap)
	$(BIN)/python -m pytest tests/machines/image.py

systemd-test: $(READY) ## boot a machine and run the unit on it (minutes, root; systemd-nspawn, mmdebstrap)
	$(BIN)/python -m pytest tests/machines/systemd.py

fuzz: $(READY) ## coverage-guided fuzzing of the rules, FUZZ_SECONDS=60 long (needs atheris)
	$(BIN)/python -m tests.fuzz $(FUZZ_SECONDS)

vectors: $(READY) ## make the golden vectors anew (a change of the format!)
	$(BIN)/python -m tests.vectors.generate

monitoring: $(READY) ## make the Prometheus operator's rules anew from deploy/monitoring/rules.yaml
	$(BIN)/python -m tests.deploy.monitoring

manifests: $(READY) ## make deploy/kubernetes/base anew from the Helm chart
	$(BIN)/python -m tests.deploy.manifests

# Neither the machine's own package index nor its mirrors may leave a trace in the lock files.
COMPILE = PIP_CONFIG_FILE=/dev/null PIP_FIND_LINKS= $(BIN)/pip-compile --quiet --upgrade \
  --generate-hashes --allow-unsafe --no-header --no-annotate --strip-extras \
  --no-emit-index-url --no-emit-find-links --no-emit-trusted-host

lock: $(READY) ## resolve requirements*.lock anew: every package that is installed, with its hashes
	$(COMPILE) --output-file requirements.lock pyproject.toml
	$(COMPILE) --output-file requirements-build.lock --only-build-deps --all-build-deps pyproject.toml

cli-page: $(READY) ## make docs/cli.md anew from what --help says
	$(BIN)/python -m tests.docs.cli_page

clean: ## remove what `make run` made (var/), caches and the virtual environment
	rm -rf var .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache *.egg-info
