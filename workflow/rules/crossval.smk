"""Cross-validation: for each fold a run of its own, made without the fold, that predicts it.

A fold's run is this very workflow with another results folder (`crossval/fold_{fold}`): it takes
cohort and groomed surfaces from here (`fold.smk`) and makes alignment, shape models, templates,
tensors, networks and measures anew. It is one job here, so that a cluster works on all folds side
by side; killed, it goes on where it was, as any run does.
"""

CROSSED = list(settings.crossval.made(settings.evaluate.reference_model))


rule crossval_folds:
    input:
        checked=ancient(subject_table),
        subjects="<results>/dataset/subjects.tsv",
        cohort="<results>/dataset/cohort.tsv",
    output:
        folds="<results>/crossval/folds.tsv",
    log:
        "<logs>/crossval/folds.log",
    benchmark:
        "<benchmarks>/crossval/folds.tsv"
    conda:
        MASSM
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        config=section("crossval"),
    message:
        "Draw the folds"
    shell:
        "python -m massm.stages.crossval_folds --config {params.config:q}"
        " --subjects {input.subjects:q} --cohort {input.cohort:q} --folds {output.folds:q} &> {log:q}"


rule crossval_config:
    output:
        config="<results>/crossval/fold_{fold}/config.json",
    log:
        "<logs>/crossval/config_{fold}.log",
    benchmark:
        "<benchmarks>/crossval/config_{fold}.tsv"
    wildcard_constraints:
        fold="|".join(FOLDS),
    conda:
        MASSM
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        depends=lambda wildcards: folded(wildcards.fold),
        config=lambda wildcards, threads: settings.model_dump_json(),
        names=lambda wildcards, threads: list(config["models"]),
    message:
        "Write the configuration of fold {wildcards.fold}"
    shell:
        "python -m massm.stages.crossval_config --config {params.config:q}"
        " --number {wildcards.fold} --names {params.names:q} --output {output.config:q} &> {log:q}"


# What runs here is this very Snakemake; its jobs have the environment.
rule crossval_fold:
    input:
        checked=ancient(subject_table),
        config="<results>/crossval/fold_{fold}/config.json",
        folds="<results>/crossval/folds.tsv",
        groomed=groom_batches,
    output:
        index="<results>/crossval/fold_{fold}/out_of_fold.tsv",
    log:
        "<logs>/crossval/fold_{fold}.log",
    benchmark:
        "<benchmarks>/crossval/fold_{fold}.tsv"
    conda:
        MASSM
    threads: CORES
    resources:
        mem_mb=28000,
        runtime=2880,
        gpu=max((gpus(settings.training(name)) for name in TRAINED), default=0),
    params:
        python=lambda wildcards, threads: sys.executable,
        snakefile=lambda wildcards, threads: Path(workflow.basedir) / "Snakefile",
        conda=lambda wildcards, threads: "--use-conda" if CONDA else [],
        folds=settings.crossval.folds,
        state=lambda wildcards: batch_state(  # only compared: the fold itself looks at its images
            table="subjects",
            columns=["subject"],
            files=["image"],
            subjects=cohort_subjects("train", "validation"),
        ),
    message:
        "Make the models without fold {wildcards.fold} of {params.folds}, predict it; progress in {log}"
    shell:
        "env -u SNAKEMAKE_PROFILE {params.python:q} -m snakemake --snakefile {params.snakefile:q}"
        " --configfile {input.config:q} --executor local --nolock --rerun-incomplete"
        " --cores {threads} {params.conda} -- fold &> {log:q}"


rule crossval_table:
    input:
        folds=expand("<results>/crossval/fold_{fold}/out_of_fold.tsv", fold=FOLDS),
    output:
        table="<results>/crossval/{model}/{kind}.csv",
    log:
        "<logs>/crossval/{model}_{kind}.log",
    benchmark:
        "<benchmarks>/crossval/{model}_{kind}.tsv"
    wildcard_constraints:
        kind="local|world|detection",
    conda:
        MASSM
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        folds=lambda wildcards: in_folds(f"evaluate/{wildcards.model}/{wildcards.kind}.csv"),
    message:
        "Join what all folds measured of {wildcards.model}: {wildcards.kind}"
    shell:
        "python -m massm.stages.crossval_table --folds {params.folds:q} --table {output.table:q}"
        " &> {log:q}"


use rule crossval_table as crossval_missed with:
    output:
        table="<results>/crossval/missed.csv",
    log:
        "<logs>/crossval/missed.log",
    benchmark:
        "<benchmarks>/crossval/missed.tsv"
    params:
        folds=lambda wildcards: in_folds("evaluate/missed.csv"),
    message:
        "Join what missed anatomies cost in all folds"


rule crossval_summary:
    input:
        measured=[
            f"<results>/crossval/{name}/{kind}.csv"
            for name in CROSSED
            for kind in ENTRIES[name].facts.tables
        ],
        missed="<results>/crossval/missed.csv",
        folds=expand("<results>/crossval/fold_{fold}/out_of_fold.tsv", fold=FOLDS),
    output:
        summary="<results>/crossval/summary.csv",
        tests="<results>/crossval/tests.csv",
        predictions="<results>/crossval/predictions.tsv",
    log:
        "<logs>/crossval/summary.log",
    benchmark:
        "<benchmarks>/crossval/summary.tsv"
    conda:
        MASSM
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        config=section("evaluate", ComparisonConfig),
        models=CROSSED,
        bounds=list(NAMES.bounds),
    message:
        "Summarize the cross-validation"
    shell:
        "python -m massm.stages.crossval_summary --config {params.config:q}"
        " --measured {input.measured:q} --missed {input.missed:q} --folds {input.folds:q}"
        " --models {params.models:q} --bounds {params.bounds:q} --summary {output.summary:q}"
        " --tests {output.tests:q} --predictions {output.predictions:q} &> {log:q}"


rule crossval:
    input:
        rules.crossval_summary.output,
