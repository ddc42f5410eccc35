"""A run that leaves a fold out: cohort and groomed surfaces are those of the whole run."""

WHOLE = settings.fold.of


rule fold_cohort:
    input:
        folds=WHOLE / "crossval/folds.tsv",
        subjects=WHOLE / "dataset/subjects.tsv",
        cohort=WHOLE / "dataset/cohort.tsv",
    output:
        subjects="<results>/dataset/subjects.tsv",
        cohort="<results>/dataset/cohort.tsv",
    log:
        "<logs>/dataset/fold.log",
    benchmark:
        "<benchmarks>/dataset/fold.tsv"
    conda:
        MASSM
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        number=settings.fold.number,
    message:
        "Leave fold {params.number} out"
    shell:
        "python -m massm.stages.fold_cohort --number {params.number} --folds {input.folds:q}"
        " --whole-subjects {input.subjects:q} --whole-cohort {input.cohort:q}"
        " --subjects {output.subjects:q} --cohort {output.cohort:q} &> {log:q}"


rule fold_groomed:
    input:
        checked=ancient(subject_table),
        folds=WHOLE / "crossval/folds.tsv",
        groomed=groomed_whole,
    output:
        index="<results>/groom/index/{batch}.tsv",
    log:
        "<logs>/groom/{batch}.log",
    benchmark:
        "<benchmarks>/groom/{batch}.tsv"
    conda:
        MASSM
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        number=settings.fold.number,
        subjects=lambda wildcards: batch_subjects(wildcards.batch, settings.jobs.groom_subjects),
        of=WHOLE,
        results=settings.results,
    message:
        "Take groomed surfaces of batch {wildcards.batch}"
    shell:
        "python -m massm.stages.fold_groomed --number {params.number} --folds {input.folds:q}"
        " --subjects {params.subjects:q} --groomed {input.groomed:q} --of {params.of:q}"
        " --results {params.results:q} --index {output.index:q} &> {log:q}"


rule fold:
    input:
        measured=measured(MODELS),
        missed="<results>/evaluate/missed.csv",
        folders=expand("<results>/predict/{model}", model=MODELS),
    output:
        index="<results>/out_of_fold.tsv",
    log:
        "<logs>/fold.log",
    benchmark:
        "<benchmarks>/fold.tsv"
    conda:
        MASSM
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        number=settings.fold.number,
        models=MODELS,
        of=WHOLE,
    message:
        "List what was predicted of fold {params.number}"
    shell:
        "python -m massm.stages.fold_index --number {params.number} --models {params.models:q}"
        " --predicted {input.folders:q} --measured {input.measured:q} {input.missed:q} --of {params.of:q} --index {output.index:q} &> {log:q}"
