# The commands of this repository; `make` alone lists them. The work is done by the scripts in tools/.

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup build demo test test-c test-sanitizers test-threads test-python bench docs lint format lock install clean

SHELL  := /bin/bash
PYTHON ?=
PREFIX ?= /usr/local
BENCH  ?=
export PYTHON BENCH

venv_python := .venv/bin/python

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install what is missing: system packages, .venv, pinned Python packages
	@tools/setup.sh

build: setup ## build the Python package and install it into .venv
	@tools/package.sh

demo: build ## the main job on real records, into demo-output/
	@$(venv_python) -m starlings.demo

test: build ## everything below, as continuous integration runs it
	@tools/ctest.sh release
	@tools/ctest.sh sanitize
	@tools/ctest.sh threads
	@tools/lint.sh python
	@tools/ctest.sh extension
	@tools/pytest.sh

test-c: setup ## C tests and examples, as users get the library
	@tools/ctest.sh release

test-sanitizers: setup ## C tests under the address and undefined-behaviour sanitizers
	@tools/ctest.sh sanitize

test-threads: setup ## C tests of threads under the thread sanitizer
	@tools/ctest.sh threads

test-python: build ## the extension without warnings, Python tests
	@tools/ctest.sh extension
	@tools/pytest.sh

bench: build ## measure against SciPy, scikit-learn, Splink and polars (BENCH=large: 10M records too)
	@$(venv_python) bench/run.py

docs: build ## the documentation site, into build/docs
	@tools/docs.sh

lint: setup ## check layout, lint and types of C and Python sources
	@tools/lint.sh c
	@tools/lint.sh python

format: setup ## rewrite C and Python sources in the house layout
	@tools/lint.sh format

lock: ## resolve requirements/*.in anew
	@tools/lock.sh

install: ## install the C library, header and pkg-config file (PREFIX=/usr/local, DESTDIR)
	@tools/setup.sh system
	@cmake -S . -B build/install -G Ninja --log-level=WARNING -DCMAKE_BUILD_TYPE=Release \
	  -DCMAKE_INSTALL_PREFIX='$(abspath $(PREFIX))'
	@cmake --build build/install
	@cmake --install build/install

clean: ## remove build/ and demo-output/ (not .venv and .third-party)
	rm -rf build demo-output
