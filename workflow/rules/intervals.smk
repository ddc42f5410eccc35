"""How far off particles may be: radii that hold the true surface with a stated coverage."""

from massm.config.intervals import LevelConfig


rule intervals_residuals:
    input:
        **TRUTH,
        predictions="<results>/predict/{model}",
    output:
        residuals="<results>/intervals/{model}/{split}.npz",
    log:
        "<logs>/intervals/{model}_{split}.log",
    benchmark:
        "<benchmarks>/intervals/{model}_{split}.tsv"
    wildcard_constraints:
        split="validation|test",
    conda:
        MASSM
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        results=settings.results,
    message:
        "Measure how far particles of {wildcards.model} lie from surfaces: {wildcards.split}"
    shell:
        "python -m massm.stages.intervals_residuals --split {wildcards.split:q}"
        " --cohort {input.cohort:q} --groomed {input.groomed:q} --particles {input.particles:q}"
        " --predictions {input.predictions:q} --results {params.results:q}"
        " --residuals {output.residuals:q} &> {log:q}"


rule intervals_out_of_fold:
    input:
        **TRUTH,
        folds=expand("<results>/crossval/fold_{fold}/out_of_fold.tsv", fold=FOLDS),
    output:
        residuals="<results>/intervals/{model}/crossval.npz",
    log:
        "<logs>/intervals/{model}_crossval.log",
    benchmark:
        "<benchmarks>/intervals/{model}_crossval.tsv"
    conda:
        MASSM
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        config=section("reconstruct"),
        results=settings.results,
    message:
        "Measure how far particles of {wildcards.model} lie from surfaces, out of fold"
    shell:
        "python -m massm.stages.intervals_out_of_fold --config {params.config:q}"
        " --model {wildcards.model:q} --folds {input.folds:q} --cohort {input.cohort:q}"
        " --groomed {input.groomed:q} --particles {input.particles:q}"
        " --results {params.results:q} --residuals {output.residuals:q} &> {log:q}"


rule intervals_model:
    input:
        checked=ancient(subject_table),
        residuals=lambda wildcards: residuals_of(wildcards.model, settings.intervals.calibration),
    output:
        intervals="<results>/intervals/{model}/intervals.npz",
    log:
        "<logs>/intervals/{model}.log",
    benchmark:
        "<benchmarks>/intervals/{model}.tsv"
    conda:
        MASSM
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        config=section("intervals", LevelConfig),
        calibration=lambda wildcards: calibrated_by(wildcards.model, settings.intervals.calibration),
    message:
        "Choose radii of {wildcards.model}"
    shell:
        "python -m massm.stages.intervals --config {params.config:q}"
        " --residuals {input.residuals:q} --calibration {params.calibration:q}"
        " --intervals {output.intervals:q} &> {log:q}"


rule evaluate_coverage:
    input:
        checked=ancient(subject_table),
        intervals=expand("<results>/intervals/{model}/intervals.npz", model=COVERED),
        calibration=[residuals_of(name, settings.intervals.calibration) for name in COVERED],
        measured=[residuals_of(name, "test") for name in COVERED],
    output:
        table="<results>/evaluate/coverage.csv",
    log:
        "<logs>/evaluate/coverage.log",
    benchmark:
        "<benchmarks>/evaluate/coverage.tsv"
    conda:
        MASSM
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        config=section("evaluate", ComparisonConfig),
        models=COVERED,
    message:
        "Measure how radii keep their promise"
    shell:
        "python -m massm.stages.evaluate_coverage --config {params.config:q}"
        " --split test --models {params.models:q} --intervals {input.intervals:q}"
        " --calibration {input.calibration:q} --measured {input.measured:q}"
        " --table {output.table:q} &> {log:q}"


rule intervals:
    input:
        expand("<results>/intervals/{model}/intervals.npz", model=INTERVALS),
