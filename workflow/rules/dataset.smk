"""Subjects and their anatomies: what is used, what is not and why, and the split."""


rule phantom_cohort:
    output:
        done=PHANTOM / "phantom.json",
    log:
        "<logs>/phantom.log",
    benchmark:
        "<benchmarks>/phantom.tsv"
    conda:
        MASSM
    threads: 8
    resources:
        mem_mb=8000,
        runtime=60,
    params:
        config=section("phantom"),
    message:
        "Make the synthetic cohort"
    shell:
        "python -m massm.stages.phantom --config {params.config:q} --done {output.done:q}"
        " --threads {threads} &> {log:q}"


rule phantom_scan:
    output:
        "<results>/new-scan/new-patient.nii.gz",
    log:
        "<logs>/phantom-scan.log",
    benchmark:
        "<benchmarks>/phantom-scan.tsv"
    conda:
        MASSM
    threads: 1
    resources:
        mem_mb=4000,
        runtime=10,
    params:
        config=section("phantom"),
    message:
        "Make the scan of a synthetic subject that is no part of the cohort"
    shell:
        "python -m massm.stages.phantom_scan --config {params.config:q} --output {output:q}"
        " &> {log:q}"


if settings.fold is None:  # a fold has its cohort from the whole run (fold.smk)

    rule dataset_survey:
        input:
            phantom=PHANTOM / "phantom.json" if is_phantom() else [],
        output:
            subjects="<results>/dataset/subjects.tsv",
            cohort="<results>/dataset/cohort.tsv",
        log:
            "<logs>/dataset/survey.log",
        benchmark:
            "<benchmarks>/dataset/survey.tsv"
        conda:
            MASSM
        threads: 8
        resources:
            mem_mb=per_process,
            runtime=240,
        params:
            config=section("dataset", SurveyConfig),
            root=lambda wildcards: dataset_root(),
            anatomies=ANATOMIES,
            hole_mm=settings.groom.surface.hole_mm,  # what grooming closes is no fault
            state=cohort_state,  # only compared
        message:
            "Check {params.root}, draw the split"
        shell:
            "python -m massm.stages.dataset --config {params.config:q} --anatomies {params.anatomies:q}"
            " --cohort {output.cohort:q} --subjects {output.subjects:q} --hole-mm {params.hole_mm}"
            " --threads {threads} &> {log:q}"


# A rule of its own: where it stops, Snakemake keeps the tables above, which tell why.
checkpoint dataset_check:
    input:
        subjects="<results>/dataset/subjects.tsv",
        cohort="<results>/dataset/cohort.tsv",
    output:
        counts="<results>/dataset/counts.tsv",
    log:
        "<logs>/dataset/check.log",
    benchmark:
        "<benchmarks>/dataset/check.tsv"
    conda:
        MASSM
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        min_train=settings.dataset.min_train,
        anatomies=ANATOMIES,
    message:
        "Count what is usable"
    shell:
        "python -m massm.stages.dataset_check --min-train {params.min_train}"
        " --anatomies {params.anatomies:q} --subjects {input.subjects:q}"
        " --cohort {input.cohort:q} --counts {output.counts:q} &> {log:q}"


rule dataset:
    input:
        "<results>/dataset/subjects.tsv",
        "<results>/dataset/cohort.tsv",
        rules.dataset_check.output,


rule phantom:
    input:
        rules.phantom_cohort.output,
