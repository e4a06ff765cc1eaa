# Everything here needs Python 3.11 or newer and make. The first target that runs fetches the packages of a lock file
# (versions and hashes) into .venv; they are fetched again only when the lock file has changed.

PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3 python; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
PIP := .venv/bin/python -m pip install --quiet --disable-pip-version-check
UV := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header
SOURCES := $(wildcard src tests benchmarks examples)
ARGS ?=
SIZES ?= 10000 100000
PACKAGE ?= filters
SEEDS ?= 200
REQUESTS ?= 100000
SEED ?= 1
SECONDS ?= 300

# Tests and benchmarks start hundreds of servers: each would compile all modules.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help release-notes screenshots console console-check run test fuzz image-check wheel-check check contract formatted format lint types layers docs reference bench bench-language bench-watch bench-beats bench-asking bench-fairness bench-console bench-many bench-security test-postgresql test-histories test-many mutation mutation-sight lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

run: .venv/for-running ## Serve on port 3000 with the data in ./data (PORT=4000 make run: on another)
	@exec .venv/bin/python -m rollbook serve

test: .venv/for-working ## Run the tests, and the examples of the documentation (ARGS="-k filters": some of them)
ifeq ($(ARGS),)
	@rm -rf build/seen
	ROLLBOOK_TEST_SEEN=build/seen .venv/bin/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder --ignore tests/test_declared.py
	ROLLBOOK_TEST_SEEN=build/seen .venv/bin/python -m pytest tests/test_declared.py
else
	.venv/bin/python -m pytest $(ARGS)
endif

test-postgresql: .venv/for-working ## Run the whole API suite on the journal on PostgreSQL (needs PostgreSQL)
	ROLLBOOK_TEST_ENGINE=postgresql .venv/bin/python -m pytest tests/api $(ARGS)

test-histories: .venv/for-working ## Try the protocol of many processes in 10,000 simulated histories (SEEDS=100000: more)
	ROLLBOOK_SEEDS=$(if $(filter 200,$(SEEDS)),10000,$(SEEDS)) .venv/bin/python -m pytest tests/journal/simulation $(ARGS)

test-many: .venv/for-working ## Try three processes behind a faulty network for five minutes (SECONDS=90: shorter)
	ROLLBOOK_MANY_SECONDS=$(SECONDS) .venv/bin/python -m pytest -s tests/many $(ARGS)

.PHONY: test-patroni
test-patroni: .venv/for-working ## Kill, pause and cut off leaders of a Patroni cluster under load (needs patroni, etcd-server)
	ROLLBOOK_TEST_PATRONI="killed,paused,cut off,killed,paused,cut off" .venv/bin/python -m pytest tests/patroni $(ARGS)

fuzz: .venv/for-working ## Send 100,000 mangled requests to a server (REQUESTS=1000000 SEED=2: more, others)
	ROLLBOOK_FUZZ_REQUESTS=$(REQUESTS) ROLLBOOK_FUZZ_SEED=$(SEED) .venv/bin/python -m pytest -s tests/fuzz $(ARGS)

model: .venv/for-working ## Walk hundreds of random walks beside a simple model (SEEDS=20: of 20 seeds)
	ROLLBOOK_MODEL_SEEDS=$(SEEDS) .venv/bin/python -m pytest tests/model $(ARGS)

.PHONY: bulk
bulk: .venv/for-working ## Kill servers amid 10,000 lines, page through 100,000 clusters, restore 50 moments (minutes)
	ROLLBOOK_BATCH_LINES=10000 ROLLBOOK_PAGED_CLUSTERS=100000 ROLLBOOK_RESTORED_MOMENTS=50 \
		.venv/bin/python -m pytest tests/api/test_bulk.py tests/listing tests/cli/test_backups.py $(ARGS)

check: formatted lint types layers console-check test contract ## Everything that CI runs

contract: .venv/for-working ## Compare a running server with /openapi.json (Schemathesis, at most two minutes)
	.venv/bin/python -m tests.api.contract

console: console/node_modules ## Check, test and build the web console into src/rollbook/console (Node 20.19 or newer)
	cd console && npm run --silent check && npm run --silent test && npm run --silent build

console-check: console ## Build the console, and fail unless what is committed is what was built
	@git diff --exit-code --stat -- src/rollbook/console && test -z "$$(git status --porcelain -- src/rollbook/console)" \
		|| { echo "src/rollbook/console is not what console/ builds: commit what make console made"; exit 1; }

console/node_modules: console/package-lock.json
	cd console && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

screenshots: .venv/for-working ## Take the pictures of the README anew (needs chromium)
	.venv/bin/python -m tests.console.screenshots

.PHONY: ferretdb
ferretdb: ## Build FerretDB, which tests of moving from MongoDB speak with (needs Go; a minute or two)
	@$(PYTHON) -m benchmarks.rivals.building_ferretdb

image-check: .venv/for-working ## Carry out the image's steps on a bare Debian (as root, with debootstrap; minutes)
	.venv/bin/python -m tests.deploy.image

wheel-check: .venv/for-working ## Install the wheel on every Python that is here, and serve from it (minutes)
	.venv/bin/python -m tests.deploy.wheels

release-notes: ## Print what changed in a version (VERSION=0.1.0; without one, in the next)
	@awk -v wanted="$(or $(VERSION),Unreleased)" '/^## / { shown = ($$2 == wanted) } shown { print; found = 1 } END { exit !found }' CHANGELOG.md

formatted: .venv/for-working
	.venv/bin/python -m ruff format --check $(SOURCES)

format: .venv/for-working ## Format the code and mend what the linter can mend
	.venv/bin/python -m ruff check --fix $(SOURCES)
	.venv/bin/python -m ruff format $(SOURCES)

lint: .venv/for-working ## Lint the code
	.venv/bin/python -m ruff check $(SOURCES)

types: .venv/for-working ## Check the types
	.venv/bin/python -m mypy

layers: .venv/for-working ## Check that imports point down only
	.venv/bin/lint-imports

docs: .venv/for-working ## Run the examples of the documentation and check its reference
	.venv/bin/python -m pytest tests/docs $(ARGS)

reference: .venv/for-working ## Write the generated parts of docs/reference again
	.venv/bin/python -m tests.docs.reference

bench: .venv/for-measuring ## Measure Rollbook and its rivals side by side, into benchmarks/results (SIZES="10000": so many)
	.venv/bin/python -m benchmarks.serving --sizes "$(SIZES)" $(ARGS)
	.venv/bin/python -m benchmarks.watching
	.venv/bin/python -m benchmarks.beating
	.venv/bin/python -m benchmarks.asking
	.venv/bin/python -m benchmarks.beside
	.venv/bin/python -m benchmarks.securing

bench-language: .venv/for-measuring ## Measure the language against others, into benchmarks/results/language.md
	.venv/bin/python -W ignore -m benchmarks.language $(ARGS)

bench-watch: .venv/for-measuring ## Measure how fast changes reach watchers, into benchmarks/results/watching.md
	.venv/bin/python -m benchmarks.watching $(ARGS)

bench-informer: .venv/for-measuring ## Measure an informer beside 1,000 changes/s, into benchmarks/results/informing.md
	.venv/bin/python -m benchmarks.informing $(ARGS)

.PHONY: bench-starting
bench-starting: .venv/for-measuring ## Measure the CPU that commands take, into benchmarks/results/starting.md
	.venv/bin/python -m benchmarks.starting $(ARGS)

bench-large: .venv/for-measuring ## Measure what writes on large clusters cost, into benchmarks/results/large-clusters.md
	.venv/bin/python -m benchmarks.large_clusters $(ARGS)

bench-asking: .venv/for-measuring ## Measure what lists, tables, sums, facets and fits cost, into benchmarks/results/asking.md
	.venv/bin/python -m benchmarks.asking $(ARGS)

.PHONY: bench-beside
bench-beside: .venv/for-measuring ## Measure lists, tables, sums, facets, fits and loading beside PostgreSQL and FerretDB
	.venv/bin/python -m benchmarks.beside $(ARGS)

bench-beats: .venv/for-measuring ## Measure what it costs to hear 10,000 clusters, into benchmarks/results/beating.md
	.venv/bin/python -m benchmarks.beating $(ARGS)

bench-many: .venv/for-measuring ## Measure many processes on PostgreSQL, into benchmarks/results/many*.md (needs PostgreSQL)
	.venv/bin/python -m benchmarks.many $(ARGS)
	.venv/bin/python -m benchmarks.many_failures
	.venv/bin/python -m benchmarks.many_starts

bench-console: .venv/for-measuring ## Measure the console in Chromium, into benchmarks/results/console.md (SIZES="10000": some)
	.venv/bin/python -m benchmarks.console $(SIZES) $(ARGS)

bench-security: .venv/for-measuring ## Measure requests with and without a token, into benchmarks/results/security.md
	.venv/bin/python -m benchmarks.securing $(ARGS)

.PHONY: bench-former
bench-former: .venv/for-measuring ## Compare the CPU of requests with that of a former version (COMMIT=...), into benchmarks/results/former.md
	.venv/bin/python -m benchmarks.former $(COMMIT) $(ARGS)

bench-fairness: .venv/for-measuring ## Measure what others wait beside floods, into benchmarks/results/fairness.md
	.venv/bin/python -m benchmarks.fairness $(ARGS)

mutation-sight: .venv/for-working ## Break each rule of what callers see and may write, and see a law fail (MODULE=seeing: of one)
	.venv/bin/python -m tests.security.mutating $(MODULE)

mutation: .venv/for-mutation ## Find small changes of filters that no test notices (PACKAGE=updates: of updates)
	ROLLBOOK_MUTATION=$(PACKAGE) .venv/bin/mutmut run "rollbook.language.$(PACKAGE).*"
	.venv/bin/mutmut results | grep "rollbook.language.$(PACKAGE)\." || true

lock: ## Choose versions again and write the lock files (needs uv)
	$(UV) --upgrade --group build pyproject.toml --output-file requirements.txt
	$(UV) --upgrade --all-extras --group build --group dev --constraint requirements.txt pyproject.toml \
		--output-file requirements-dev.txt
	$(UV) --all-extras --group build --constraint requirements-dev.txt pyproject.toml --output-file requirements-image.txt
	$(UV) --upgrade --group bench --constraint requirements-dev.txt pyproject.toml \
		--output-file requirements-bench.txt
	$(UV) --upgrade --group mutation --constraint requirements-dev.txt pyproject.toml \
		--output-file requirements-mutation.txt

clean: ## Remove what was built here; never the data
	rm -rf .venv build dist mutants .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.venv/for-mutation: requirements-mutation.txt .venv/for-working
	$(PIP) --require-hashes --requirement requirements-mutation.txt
	@touch $@

.venv/for-working: requirements-dev.txt .venv/for-running
	$(PIP) --require-hashes --requirement requirements-dev.txt
	@touch $@

.venv/for-measuring: requirements-bench.txt .venv/for-running
	$(PIP) --require-hashes --requirement requirements-bench.txt
	@touch $@

.venv/for-running: requirements.txt pyproject.toml .venv/made
	@echo "Installing what Rollbook needs into .venv; this takes up to a minute"
	$(PIP) --require-hashes --requirement requirements.txt
	$(PIP) --no-index --no-deps --no-build-isolation --editable .
	@touch $@

.venv/made:
	@test -n "$(PYTHON)" || { echo "Rollbook needs Python 3.11 or newer: no such python3 is on the PATH" >&2; exit 1; }
	$(PYTHON) -m venv --clear .venv
	@touch $@
