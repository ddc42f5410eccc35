"""What a network sees: image, boxes, presence, particles; statistics of the training split."""

from massm.config.tensors import ExportConfig


rule tensors_subjects:
    input:
        cohort="<results>/dataset/cohort.tsv",
        subjects=subject_table,
        correspond=expand("<results>/correspond/{anatomy}.npz", anatomy=ANATOMIES),
    output:
        done=touch("<results>/tensors/batches/{batch}.done"),
    log:
        "<logs>/tensors/{batch}.log",
    benchmark:
        "<benchmarks>/tensors/{batch}.tsv"
    conda:
        "../../envs/massm.yaml"
    resources:
        mem_mb=6000,
        runtime=120,
    params:
        config=section("tensors", ExportConfig),
        anatomies=ANATOMIES,
        subjects=lambda wildcards: batch_subjects(wildcards.batch, settings.jobs.tensors_subjects),
        folder=settings.results / "tensors",
    message:
        "Export tensors of batch {wildcards.batch}"
    shell:
        "python -m massm.stages.tensors --config {params.config:q} --anatomies {params.anatomies:q}"
        " --subjects {params.subjects:q} --cohort {input.cohort:q}"
        " --subject-table {input.subjects:q} --correspond {input.correspond:q}"
        " --output {params.folder:q} &> {log:q}"


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
        "../../envs/massm.yaml"
    resources:
        mem_mb=4000,
        runtime=60,
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


rule tensors:
    input:
        rules.tensors_manifest.output,
