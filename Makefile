# The commands that everybody uses; the same on every machine.

SHELL := /bin/sh
.DEFAULT_GOAL := help

# A crash of a server should end it, not print thousands of lines.
export SWIFT_BACKTRACE := enable=no

# A module imports only what it declares: the direction of the dependencies is a rule of the design.
CHECKS := --explicit-target-dependency-import-check error
SWIFT_FILES := $(wildcard Package.swift Sources Tests Benchmarks GatepostClient)
VENV := .venv-tests
# Hundreds of tests at once on two cores make each other late; six at once take as long in all.
WIDTH := --experimental-maximum-parallelization-width 6
# All of make test takes less than this on two cores; what hangs is to fail, and not to use up all the time there is.
SUITE := timeout --kill-after=30s 30m swift test --skip-build $(WIDTH)
# What talks to Postgres is run a second time without prepared statements, as behind an old pgbouncer. It shows that
# each statement runs so, for which once is enough: a race is run twice instead of thirty times, and what runs the
# statements of other tests by the thousand is left out. All of it is in the first pass.
DATABASE_TESTS := GatepostStoreTests|GatepostOutboxTests|GatepostFlowsTests|GatepostWorkersTests|GatepostAPITests
LONG_TESTS := ExactlyOnceTests|FairnessTests|PartitionFortyDaysTests|EnumerationTests|Redirect(Mutation|Routes)Tests
UNPREPARED := GATEPOST_TEST_PREPARED_STATEMENTS=false GATEPOST_TEST_RACE_ROUNDS=2 \
	$(SUITE) --filter '$(DATABASE_TESTS)' --skip '$(LONG_TESTS)'
# ThreadSanitizer sees every race of two threads; it builds apart, for twenty minutes or more.
SANITIZE ?= none
ifeq ($(SANITIZE),thread)
SANITIZED := --sanitize=thread --scratch-path .build-thread -Xswiftc -O
# What each process reports is kept, whoever reads its output; see docs/decisions/0027.
REPORTS := $(CURDIR)/.build-thread/reports
HANDOVERS := $(CURDIR)/.build-thread/handovers.so
export TSAN_OPTIONS := halt_on_error=0 exitcode=66 log_path=$(REPORTS)/report \
	suppressions=$(CURDIR)/Tests/ThreadSanitizer/suppressions.txt \
	external_symbolizer_path=$(CURDIR)/Tests/ThreadSanitizer/llvm-symbolizer
SUITE := LD_PRELOAD=$(HANDOVERS) timeout --kill-after=30s 90m swift test $(SANITIZED) --skip-build $(WIDTH)
endif
# pgbouncer in transaction mode before every Postgres that the tests use; prepared statements are off behind it.
POOLER ?= none

RELEASE := .build-release

.PHONY: help run test bench chaos screenshots lint format clean

help: ## Show these commands.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Build Gatepost and start it here, with a database and a mail catcher; ARGS are passed on.
	@scripts/setup
	swift build --product gatepost
	@.build/debug/gatepost dev $(ARGS)

test: lint $(VENV)/installed ## Check the style, build everything, run all tests; POOLER=pgbouncer or SANITIZE=thread.
	swift build --build-tests $(CHECKS) $(SANITIZED)
ifeq ($(SANITIZE),thread)
	clang -shared -fPIC -O1 -Wall -Werror -o $(HANDOVERS) Tests/ThreadSanitizer/handovers.c
	rm -rf $(REPORTS) && mkdir -p -m 1777 $(REPORTS)
	@$(SUITE); status=$$?; cat $(REPORTS)/* 2> /dev/null && exit 66; exit $$status
else ifeq ($(POOLER),pgbouncer)
	GATEPOST_TEST_POOLER=pgbouncer $(SUITE)
else
	$(SUITE)
	$(UNPREPARED)
endif

bench: ## Measure Gatepost beside its limits (30 min); ARGS are passed on, such as "--only read --runs 3".
	@scripts/setup --bench
	swift build --configuration release --scratch-path $(RELEASE) --product gatepost
	swift build --configuration release --scratch-path $(RELEASE) --product gatepost-bench
	@$(RELEASE)/release/gatepost-bench --output $(RELEASE)/bench.json $(ARGS)

chaos: ## Harm a running installation for ten minutes, lose nothing; ARGS such as "--seconds 60 --seed 7".
	@scripts/setup --chaos
	swift build --product gatepost
	swift build --product gatepost-chaos
	@.build/debug/gatepost-chaos $(ARGS)

screenshots: $(VENV)/installed ## Walk a browser through the hosted pages, and make the pictures in docs/screenshots.
	swift build --build-tests
	rm -rf .build/screenshots
	GATEPOST_TEST_SCREENSHOTS=$(CURDIR)/.build/screenshots swift test --skip-build --filter BrowserTests
	python3 scripts/pictures.py .build/screenshots docs/screenshots

lint: ## Check the format of the code.
	@scripts/setup --tests
	swift format lint --strict --recursive --parallel $(SWIFT_FILES)

format: ## Format the code.
	swift format format --in-place --recursive --parallel $(SWIFT_FILES)

clean: ## Remove what was built; the data of make run stay.
	rm -rf .build .build-thread $(RELEASE) $(VENV)

# The outside tools that the tests use, in the versions that are written down.
$(VENV)/installed: Tests/requirements.txt | lint
	python3 -m venv --clear $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@
