"""Masks or meshes to clean closed surfaces, and their rigid alignment."""

if settings.fold is None:  # a fold has its surfaces from the whole run (fold.smk)

    rule groom_surfaces:
        input:
            checked=ancient(subject_table),
            cohort=ancient("<results>/dataset/cohort.tsv"),
        output:
            index="<results>/groom/index/{batch}.tsv",
        log:
            "<logs>/groom/{batch}.log",
        benchmark:
            "<benchmarks>/groom/{batch}.tsv"
        conda:
            MASSM
        threads: 4
        resources:
            mem_mb=per_process,
            runtime=240,
        params:
            config=section("groom.surface"),
            subjects=lambda wildcards: batch_subjects(wildcards.batch, settings.jobs.groom_subjects),
            state=lambda wildcards: batch_state(  # only compared
                table="cohort",
                # `source` follows from the file.
                columns=["subject", "anatomy", "split", "status", "label"],
                files=["mask"],
                subjects=batch_subjects(wildcards.batch, settings.jobs.groom_subjects),
            ),
            results=settings.results,
        message:
            "Groom batch {wildcards.batch}"
        shell:
            "python -m massm.stages.groom --config {params.config:q} --cohort {input.cohort:q}"
            " --subjects {params.subjects:q} --results {params.results:q} --index {output.index:q}"
            " --threads {threads} &> {log:q}"


rule groom_alignment:
    input:
        index=groom_batches,
    output:
        alignment="<results>/groom/alignment/{anatomy}.json",
    log:
        "<logs>/groom/alignment/{anatomy}.log",
    benchmark:
        "<benchmarks>/groom/alignment/{anatomy}.tsv"
    conda:
        MASSM
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        config=lambda wildcards: settings.groom.alignment.of(wildcards.anatomy).model_dump_json(),
        results=settings.results,
        contralateral=lambda wildcards: [
            argument
            for name in settings.correspond.pool_of(wildcards.anatomy)
            if name != wildcards.anatomy
            for argument in ("--contralateral", name)
        ],
    message:
        "Align surfaces of {wildcards.anatomy}"
    shell:
        "python -m massm.stages.groom_align --config {params.config:q}"
        " --anatomy {wildcards.anatomy:q} --index {input.index:q} --results {params.results:q}"
        " --alignment {output.alignment:q} {params.contralateral:q} &> {log:q}"


rule groom:
    input:
        expand("<results>/groom/alignment/{anatomy}.json", anatomy=ANATOMIES),
