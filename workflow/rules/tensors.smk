"""What a network sees: image, boxes, presence, particles; statistics of the training split."""

from massm.config.tensors import ExportConfig, MirrorConfig

TENSORS_SUBJECTS = settings.jobs.tensors_subjects


rule tensors_subjects:
    input:
        cohort=ancient("<results>/dataset/cohort.tsv"),
        subjects=ancient(imaged_table),
        correspond=expand("<results>/correspond/{anatomy}.npz", anatomy=ANATOMIES),
    output:
        done="<results>/tensors/batches/{batch}.tsv",
    log:
        "<logs>/tensors/{batch}.log",
    benchmark:
        "<benchmarks>/tensors/{batch}.tsv"
    conda:
        MASSM
    resources:
        mem_mb=per_process,
        runtime=120,
    params:
        config=section("tensors", ExportConfig),
        anatomies=ANATOMIES,
        subjects=lambda wildcards: batch_subjects(wildcards.batch, TENSORS_SUBJECTS),
        state=lambda wildcards: [
            batch_state(table, columns, files, batch_subjects(wildcards.batch, TENSORS_SUBJECTS))
            for table, columns, files in (
                ("subjects", ["subject"], ["image"]),
                ("cohort", ["subject", "anatomy", "status"], []),
            )
        ],
        folder=settings.results / "tensors" / "subjects",
    message:
        "Export tensors of batch {wildcards.batch}"
    shell:
        "python -m massm.stages.tensors --config {params.config:q} --anatomies {params.anatomies:q}"
        " --subjects {params.subjects:q} --cohort {input.cohort:q}"
        " --subject-table {input.subjects:q} --correspond {input.correspond:q}"
        " --output {params.folder:q} --done {output.done:q} &> {log:q}"


rule tensors_manifest:
    input:
        done=tensors_batches,
        subjects="<results>/dataset/subjects.tsv",
        correspond=expand("<results>/correspond/{anatomy}.npz", anatomy=ANATOMIES),
        templates=expand("<results>/template/{anatomy}.vtp", anatomy=ANATOMIES),
    output:
        manifest="<results>/tensors/manifest.json",
        template="<results>/tensors/template.safetensors",
    log:
        "<logs>/tensors/manifest.log",
    benchmark:
        "<benchmarks>/tensors/manifest.tsv"
    conda:
        MASSM
    resources:
        mem_mb=4000,
        runtime=120,
    params:
        config=section("tensors"),
        anatomies=ANATOMIES,
        files=tensors_files,
    message:
        "List the tensors, measure training intensities"
    shell:
        "python -m massm.stages.tensors_manifest --config {params.config:q}"
        " --anatomies {params.anatomies:q} --subject-table {input.subjects:q}"
        " --correspond {input.correspond:q} --templates {input.templates:q}"
        " --subjects {params.files:q} --manifest {output.manifest:q}"
        " --template {output.template:q} &> {log:q}"


rule tensors_labels:
    input:
        cohort=ancient("<results>/dataset/cohort.tsv"),
        checked=ancient(imaged_table),
        done=tensors_batches,
    output:
        done="<results>/tensors/label_batches/{batch}.tsv",
    log:
        "<logs>/tensors/labels_{batch}.log",
    benchmark:
        "<benchmarks>/tensors/labels_{batch}.tsv"
    conda:
        MASSM
    resources:
        mem_mb=per_process,
        runtime=120,
    params:
        config=section("tensors", ExportConfig),
        anatomies=ANATOMIES,
        subjects=lambda wildcards: learning_subjects(wildcards.batch),
        state=lambda wildcards: batch_state(  # only compared
            table="cohort",
            columns=["subject", "anatomy", "split", "status", "label"],
            files=["mask"],
            subjects=learning_subjects(wildcards.batch),
        ),
        tensors=settings.results / "tensors" / "subjects",
        folder=settings.results / "tensors" / "labels",
    message:
        "Export label maps of batch {wildcards.batch}"
    shell:
        "python -m massm.stages.tensors_labels --config {params.config:q}"
        " --anatomies {params.anatomies:q} --subjects {params.subjects:q} --cohort {input.cohort:q}"
        " --tensors-folder {params.tensors:q} --output {params.folder:q} --done {output.done:q}"
        " &> {log:q}"


rule tensors_mirrored:
    input:
        cohort=ancient("<results>/dataset/cohort.tsv"),
        groomed=groom_batches,
        alignments=expand("<results>/groom/alignment/{anatomy}.json", anatomy=ANATOMIES),
        models=expand("<results>/correspond/{anatomy}/model.npz", anatomy=ANATOMIES),
        templates=expand("<results>/template/{anatomy}.vtp", anatomy=ANATOMIES),
    output:
        done="<results>/tensors/mirrored_batches/{batch}.tsv",
    log:
        "<logs>/tensors/mirrored_{batch}.log",
    benchmark:
        "<benchmarks>/tensors/mirrored_{batch}.tsv"
    conda:
        MASSM
    threads: settings.correspond.threads
    resources:
        mem_mb=per_process,
        runtime=240,
    params:
        depends=lambda wildcards: json.dumps(
            [settings.groom.alignment.result_relevant(), settings.correspond.result_relevant()]
        ),
        config=section("tensors", MirrorConfig),
        alignment=lambda wildcards, threads: settings.groom.alignment.model_dump_json(),
        engine=lambda wildcards, threads: settings.correspond.model_dump_json(),
        anatomies=ANATOMIES,
        subjects=lambda wildcards: training_subjects(wildcards.batch),
        state=lambda wildcards: batch_state(  # only compared
            table="cohort",
            columns=["subject", "anatomy", "split", "status"],
            files=[],
            subjects=training_subjects(wildcards.batch),
        ),
        results=settings.results,
        folder=settings.results / "tensors",
    message:
        "See the training subjects of batch {wildcards.batch} in a mirror"
    shell:
        "python -m massm.stages.tensors_mirrored --config {params.config:q}"
        " --alignment {params.alignment:q} --engine {params.engine:q}"
        " --anatomies {params.anatomies:q} --subjects {params.subjects:q} --cohort {input.cohort:q}"
        " --groomed {input.groomed:q} --results {params.results:q} --output {params.folder:q}"
        " --done {output.done:q} &> {log:q}"


rule tensors:
    input:
        rules.tensors_manifest.output,
