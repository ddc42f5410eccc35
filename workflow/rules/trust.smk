"""What is usual of a model's predictions, so that a scan that is not can be told."""

from massm.config.trust import AlarmConfig
from massm.dataset.folds import LEFT_OUT

TRUST_CROSSED = settings.trust.calibration == "crossval"


rule trust_model:
    input:
        checked=ancient(subject_table),
        predictions=lambda wildcards: judged_by(wildcards.model),
        particles=expand("<results>/correspond/{anatomy}.npz", anatomy=ANATOMIES),
        warps=expand("<results>/reconstruct/warp/{anatomy}.npz", anatomy=ANATOMIES),
    output:
        trust="<results>/trust/{model}/trust.npz",
    log:
        "<logs>/trust/{model}.log",
    benchmark:
        "<benchmarks>/trust/{model}.tsv"
    conda:
        MASSM
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        config=section("trust", AlarmConfig),
        model=lambda wildcards, threads: ENTRIES[wildcards.model].model_dump_json(),
        modes=settings.tensors.modes,
        results=settings.results,
        anatomies=ANATOMIES,
        runs=in_folds("") if TRUST_CROSSED else settings.results,
        split=LEFT_OUT if TRUST_CROSSED else "validation",
        calibration=lambda wildcards: calibrated_by(wildcards.model, settings.trust.calibration),
    message:
        "Say what is usual of {wildcards.model}"
    shell:
        "python -m massm.stages.trust --config {params.config:q} --name {wildcards.model:q}"
        " --model {params.model:q} --modes {params.modes} --results {params.results:q}"
        " --anatomies {params.anatomies:q} --runs {params.runs:q} --split {params.split:q}"
        " --calibration {params.calibration:q} --trust {output.trust:q} &> {log:q}"


rule trust:
    input:
        expand("<results>/trust/{model}/trust.npz", model=TRUST),
