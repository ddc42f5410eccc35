"""Which masks fit least: measured in one pass over the scans, before or after anything is trained."""

from massm.config.audit import AuditPageConfig, RankingConfig


rule audit_measures:
    input:
        checked=ancient(subject_table),
        cohort=ancient("<results>/dataset/cohort.tsv"),
    output:
        measures="<results>/audit/measures/{batch}.npz",
    log:
        "<logs>/audit/measures/{batch}.log",
    benchmark:
        "<benchmarks>/audit/measures/{batch}.tsv"
    conda:
        MASSM
    threads: 2
    resources:
        mem_mb=per_process,
        runtime=120,
    params:
        subjects=lambda wildcards: batch_subjects(wildcards.batch, settings.jobs.audit_subjects),
        state=lambda wildcards: batch_state(  # only compared
            table="cohort",
            columns=["subject", "anatomy", "status", "label"],
            files=["image", "mask"],
            subjects=batch_subjects(wildcards.batch, settings.jobs.audit_subjects),
        ),
    message:
        "Measure masks and images of batch {wildcards.batch}"
    shell:
        "python -m massm.stages.audit_measures --cohort {input.cohort:q}"
        " --subjects {params.subjects:q} --measures {output.measures:q} --threads {threads} &> {log:q}"


# Predictions are no inputs: the audit takes what is there, and has nothing trained.
rule audit_masks:
    input:
        checked=ancient(subject_table),
        measures=audit_batches,
    output:
        table="<results>/audit/masks.csv",
    log:
        "<logs>/audit/masks.log",
    benchmark:
        "<benchmarks>/audit/masks.tsv"
    conda:
        MASSM
    resources:
        mem_mb=8000,
        runtime=120,
    params:
        config=section("audit", RankingConfig),
        predicted=lambda wildcards: measured_predictions(),
        surfaces=lambda wildcards: predicted_surfaces(),
        state=lambda wildcards: fingerprint(measured_predictions()),  # only compared
    message:
        "Rank masks by how little they fit"
    shell:
        "python -m massm.stages.audit_masks --config {params.config:q} --measures {input.measures:q}"
        " --predicted {params.predicted:q} --surfaces {params.surfaces:q}"
        " --table {output.table:q} &> {log:q}"


rule audit_page:
    input:
        checked=ancient(subject_table),
        cohort=ancient("<results>/dataset/cohort.tsv"),
        masks="<results>/audit/masks.csv",
    output:
        page="<results>/audit/report.html",
    log:
        "<logs>/audit/page.log",
    benchmark:
        "<benchmarks>/audit/page.tsv"
    conda:
        MASSM
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        config=section("audit", AuditPageConfig),
        surfaces=lambda wildcards: predicted_surfaces(),
        low=settings.report.window_hu[0],
        high=settings.report.window_hu[1],
    message:
        "Draw the most suspicious masks"
    shell:
        "python -m massm.stages.audit_page --config {params.config:q} --masks {input.masks:q}"
        " --cohort {input.cohort:q} --surfaces {params.surfaces:q} --window-low {params.low}"
        " --window-high {params.high} --page {output.page:q} &> {log:q}"


rule audit:
    input:
        rules.audit_masks.output,
        rules.audit_page.output,
