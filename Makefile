# The commands of this repository. `make` alone lists them.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
export STREAMJOB_STATE ?= $(HOME)/.cache/streamjob

# uv is taken from PATH, else installed into the state folder by Python's own pip.
UV := $(shell command -v uv || echo $(STREAMJOB_STATE)/uv/bin/uv)
RUN := $(UV) run --frozen --all-extras --all-groups
export PATH := $(dir $(UV)):$(STREAMJOB_STATE)/bin:$(PATH)
export PYTHONPATH := $(CURDIR):$(CURDIR)/tests
PYTEST := $(RUN) pytest
# once, instead of in each process of each test, where the environment lets Python write no bytecode
export UV_COMPILE_BYTECODE := 1
# What needs no cluster, and runs on all cores; the other suites share one cluster, one Kafka and one Spark session.
PURE := tests/unit tests/real_data tests/chart tests/instructions

.PHONY: help
help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-19s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

.PHONY: demo
demo: setup ## A smart meter's ten-minute extremes on a real cluster, from kubectl apply to Redis; ARGS="--help" for options
	@$(RUN) python -m demo $(ARGS)

.PHONY: demo-down
demo-down: setup ## Remove what the demo left in the cluster
	@$(RUN) python -m demo --remove

.PHONY: test
test: setup ## All tests but the slow ones, on a real cluster, Kafka, Redis and Spark
	@$(RUN) python -m prepare
ifdef ARGS
	@$(PYTEST) $(ARGS)
else
	@$(PYTEST) -n $(shell nproc) --dist worksteal $(PURE)
	@$(PYTEST) tests/spark tests/cluster tests/e2e
endif

.PHONY: test-unit
test-unit: setup ## The pure tests alone: seconds, nothing is built
	@$(PYTEST) -n $(shell nproc) --dist worksteal tests/unit $(ARGS)

.PHONY: mutants
mutants: setup ## Faults put into the templates on purpose: their tests must find each (minutes)
	@$(PYTEST) -n $(shell nproc) --dist worksteal tests/mutants $(ARGS)

.PHONY: deep
deep: setup ## The templates' properties with 20,000 examples each (an hour and more)
	@STREAMJOB_EXAMPLES=20000 $(PYTEST) tests/unit -m exact $(ARGS)

.PHONY: test-faults
test-faults: setup ## Kills, outages and recovery (slow)
	@$(RUN) python -m prepare
	@$(PYTEST) tests/faults $(ARGS)

.PHONY: bench-operator
bench-operator: setup ## The operator with thousands of jobs on fake nodes (slow); ARGS="--help" for options
	@$(RUN) python -m benchmarks.operator $(ARGS)

.PHONY: bench-growth
bench-growth: setup ## How the cost of a record grows, one dimension at a time (slow); ARGS="--help" for options
	@$(RUN) python -m benchmarks.driven.growth $(ARGS)

.PHONY: bench-templates
bench-templates: setup ## All templates through the driver (slow); ARGS="--help" for options
	@$(RUN) python -m benchmarks.driven.templates $(ARGS)

.PHONY: bench-calculators
bench-calculators: setup ## Each calculator, in process and through the driver (slow); ARGS="--help" for options
	@$(RUN) python -m benchmarks.driven.calculators $(ARGS)

.PHONY: bench-latency
bench-latency: setup ## From a record to its closed window's result, by trigger interval; ARGS="--help" for options
	@$(RUN) python -m benchmarks.latency $(ARGS)

.PHONY: bench-start
bench-start: setup ## From a job's being applied to its first micro-batch, on a cluster (slow); ARGS="--help" for options
	@$(RUN) python -m benchmarks.start $(ARGS)

.PHONY: bench-memory
bench-memory: setup ## Memory of one CU over half an hour, with a latency of a day; ARGS="--help" for options
	@$(RUN) python -m benchmarks.driven.memory $(ARGS)

.PHONY: instructions
instructions: setup ## Instructions of the hot functions beside those accepted (a minute, needs valgrind)
	@$(RUN) python -m benchmarks.instructions $(ARGS)

.PHONY: instructions-accept
instructions-accept: setup ## Count them and accept what was counted; review the diff like code
	@$(RUN) python -m benchmarks.instructions --accept $(ARGS)

.PHONY: bench-runtime
bench-runtime: setup ## CPU per record of the runtime and of other engines on one topic (an hour); ARGS="--help" for options
	@$(RUN) python -m benchmarks.runtime $(ARGS)

.PHONY: lint
lint: setup ## Format check, lint, types, layers
	@$(RUN) ruff format --check
	@$(RUN) ruff check
	@$(RUN) mypy
	@$(RUN) lint-imports
	@$(RUN) yamllint --strict .

.PHONY: format
format: setup ## Format the code
	@$(RUN) ruff check --fix
	@$(RUN) ruff format

.PHONY: crds
crds: setup ## Generate the CRDs, JSON schemas, the reference and the gallery of errors
	@$(RUN) python -m streamjob_api.crd crds charts/streamjob-operator/crd-bases
	@$(RUN) python -m streamjob_api.schemas docs/schemas
	@$(RUN) python -m streamjob_api.reference docs/reference.md
	@$(RUN) python -m streamjob_api.calculators.page docs/calculators.md
	@$(RUN) python -m manifests.gallery

.PHONY: golden
golden: setup ## Rewrite the golden files of the plan; review the diff like code
	@REWRITE_GOLDEN=1 $(PYTEST) tests/unit/operator

.PHONY: cluster
cluster: setup ## Start the local cluster and print its KUBECONFIG line
	@$(RUN) python -m localcluster up

.PHONY: cluster-down
cluster-down: setup ## Remove the local cluster; what took long to build is kept
	@$(RUN) python -m localcluster down

.PHONY: images
images: setup ## Build the images that changed and hand them to the cluster
	@$(RUN) python -m prepare

.PHONY: clean
clean: setup ## Remove the local cluster and all that was built or downloaded for it
	@$(RUN) python -m localcluster down --all

.PHONY: setup
setup: $(UV)
	@$(UV) sync --quiet --frozen --all-extras --all-groups || { \
	  echo "The locked Python packages cannot be installed; the lines above say why." >&2; exit 2; }
	@$${UV_PROJECT_ENVIRONMENT:-.venv}/bin/python job_images/native/build.py
	@! command -v java > /dev/null || $${UV_PROJECT_ENVIRONMENT:-.venv}/bin/python job_images/java/build.py

$(STREAMJOB_STATE)/uv/bin/uv:
	@echo "Installing uv into $(STREAMJOB_STATE)/uv"
	@python3 -m venv $(STREAMJOB_STATE)/uv || { \
	  echo "uv is missing and cannot be installed: Python 3.11 with its venv module is needed (Debian: python3-venv)." >&2; exit 2; }
	@$(STREAMJOB_STATE)/uv/bin/pip install --quiet uv
