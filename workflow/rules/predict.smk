"""What every model says of the subjects that are measured."""


rule predict_model:
    input:
        unpack(predicted_from),
        checked=ancient(subject_table),
        manifest="<results>/tensors/manifest.json",
        template="<results>/tensors/template.safetensors",
    output:
        folder=directory("<results>/predict/{model}"),
    log:
        "<logs>/predict/{model}.log",
    benchmark:
        "<benchmarks>/predict/{model}.tsv"
    conda:
        MASSM
    threads: lambda wildcards: predicting(wildcards.model)
    resources:
        mem_mb=lambda wildcards: 16000 if wildcards.model in NETWORKS else 4000,
        runtime=lambda wildcards: 720 if ENTRIES[wildcards.model].surfaces_from else 120,
        gpu=lambda wildcards: predicting_gpus(wildcards.model),
    params:
        depends=lambda wildcards: predicted_by(wildcards.model),
        config=handed_over("predict"),
        model=lambda wildcards, threads: ENTRIES[wildcards.model].model_dump_json(),
        train=lambda wildcards: trained(wildcards.model),
        boxes=lambda wildcards: asked_predictions(wildcards.model),
        correspond=lambda wildcards, input: input.get("correspond", []),
        fitting=lambda wildcards, input, threads: fitting_options(
            wildcards.model, input.get("surfaces")
        ),
        tensors=subpath(input.manifest, parent=True),
    message:
        "Predict with {wildcards.model}"
    shell:
        "python -m massm.stages.predict --config {params.config:q} --model {params.model:q}"
        " --tensors {params.tensors:q} --train {params.train:q} --boxes {params.boxes:q}"
        " --correspond {params.correspond:q} --output {output.folder:q} {params.fitting:q} &> {log:q}"


for name in MODELS:

    rule:
        name:
            f"predict_{name}"
        input:
            f"<results>/predict/{name}",


rule predict:
    input:
        expand("<results>/predict/{model}", model=MODELS),
