"""From labelled CT to a trained model of many shapes: every stage, in the order of the data."""

import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

min_version("9.20")
sys.path.insert(0, str(workflow.basedir))  # the package beside this file, installed or not

from massm.config.loading import ConfigError, load_config
from massm.io.tables import read_table


configfile: str(Path(workflow.basedir) / "config.yaml")


try:
    settings = load_config(config)
except ConfigError as error:
    raise WorkflowError(str(error)) from None


pathvars:
    results=str(settings.results),
    logs="<results>/logs",
    benchmarks="<results>/benchmarks",


include: "workflow/rules/common.smk"
include: "workflow/rules/dataset.smk"
include: "workflow/rules/groom.smk"
include: "workflow/rules/correspond.smk"
include: "workflow/rules/template.smk"
include: "workflow/rules/tensors.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/bundle.smk"
include: "workflow/rules/predict.smk"
include: "workflow/rules/reconstruct.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/intervals.smk"
include: "workflow/rules/trust.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/audit.smk"
include: f"workflow/rules/{'fold' if settings.fold else 'crossval'}.smk"


rule all:
    default_target: True
    input:
        rules.bundle.input,
        rules.report.input,
