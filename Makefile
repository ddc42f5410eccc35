# Two commands for a newcomer: `make demo` and `make test`. Both need Python >= 3.11 and nothing else.

PYTHON ?= python3
CORES ?= 2
BIN := .venv/bin
READY := .venv/ready
DOCS_READY := .venv/docs-ready
TORCH := $(shell sed -n 's/^torch==//p' constraints.txt)
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
PYTORCH_INDEX := https://download.pytorch.org/whl/cpu
DEMO := --configfile workflow/presets/phantom.yaml
NEW := results/phantom/new-scan

OPENKBP := workflow/presets/openkbp.yaml workflow/presets/openkbp-pretrained.yaml

.PHONY: help install demo test check docs format reference pretrained clean
.DEFAULT_GOAL := help

help:
	@echo "make demo     synthetic cohort -> shape models -> trained network -> report (minutes on 2 cores)"
	@echo "make test     the test suite"
	@echo "make check    linters, types, layers, workflow, documentation"
	@echo "make docs     the documentation as a site: build/site/index.html"
	@echo "make format   format Python and Snakemake files"
	@echo "make clean    remove the demo's results and all caches (make install stays done)"

install: $(READY)

# The environment. Without an NVIDIA GPU the CPU build of torch is what gets installed: from a wheel
# that pip already knows (find-links, mirror), else from PyTorch's own index. PyPI's build brings
# gigabytes of CUDA libraries and is taken only where nvidia-smi finds a GPU, or where it is a CPU
# build itself (macOS).
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("massm needs Python 3.11 or newer, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else 0'
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv || \
	    { rm -rf .venv; echo "the venv module is incomplete; on Debian: apt install python3-venv" >&2; exit 1; }
	@echo "installing torch $(TORCH)"
	@if nvidia-smi -L > /dev/null 2>&1 || [ "$$(uname)" = Darwin ]; then \
	    $(PIP) "torch==$(TORCH)"; \
	else \
	    $(PIP) "torch==$(TORCH)+cpu" 2> /dev/null || \
	    $(PIP) "torch==$(TORCH)+cpu" --extra-index-url $(PYTORCH_INDEX); \
	fi
	@echo "installing massm and what it needs"
	@$(PIP) --editable '.[pipeline,dicom,dev]'
	@touch $@

# What builds the documentation; the demo does without.
$(DOCS_READY): $(READY)
	@echo "installing what builds the documentation"
	@$(PIP) --editable '.[docs]'
	@touch $@

demo: $(READY)
	$(BIN)/snakemake all --cores $(CORES) $(DEMO)
	@echo
	@sed -n '/results on the/,$$p' results/phantom/logs/report.log
	@echo
	@echo "The report: results/phantom/report/report.html"
	@echo
	@echo "A scan that was no part of the cohort, and what the trained model finds in it:"
	@$(BIN)/snakemake --quiet all --cores $(CORES) $(DEMO) -- $(NEW)/new-patient.nii.gz
	@$(BIN)/massm predict $(NEW)/new-patient.nii.gz --model results/phantom/models/massm \
	    --out $(NEW) --overwrite

test: $(READY) $(DOCS_READY)
	OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 $(BIN)/python -m pytest -n $(CORES) --dist loadgroup

SMK := Snakefile $(wildcard workflow/rules/*.smk)
MKDOCS := NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs

check: $(READY) $(DOCS_READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/snakefmt --check $(SMK)
	$(BIN)/mypy
	$(BIN)/mypy docs/hooks
	$(BIN)/lint-imports
	$(BIN)/python -m massm.config.reference --check docs/config.md
	$(BIN)/snakemake --lint $(DEMO)
	$(BIN)/snakemake --dry-run --quiet all $(DEMO) --config results=results/dry-run -- all
	$(MKDOCS) build --strict --quiet

docs: $(DOCS_READY)
	$(MKDOCS) build --strict
	@echo "The documentation: build/site/index.html"

format: $(READY)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(BIN)/snakefmt $(SMK)

reference: $(READY)
	$(BIN)/python -m massm.config.reference docs/config.md

# The model that comes with the package, anew; DATA is a folder of OpenKBP's scans, as docs/benchmarks/openkbp.md says. The second command
# alone makes it of results that are there.
pretrained: $(READY)
	$(BIN)/snakemake all --cores $(CORES) --configfile $(OPENKBP) --config dataset='{root: $(DATA)}'
	$(BIN)/python -m massm.stages.pretrained --name head-neck --results results/openkbp \
	    --configuration config.yaml $(OPENKBP)

clean:
	rm -rf data/phantom results/phantom build/site .pytest_cache .ruff_cache .mypy_cache .import_linter_cache .coverage
	find massm tests -name __pycache__ -type d -exec rm -rf {} +
