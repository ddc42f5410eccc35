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
        mem_mb=lambda wildcards: 16000 if wildcards.model in TRAINED else 4000,
        runtime=120,
        gpu=lambda wildcards: gpus(settings.predict) if wildcards.model in TRAINED else 0,
    params:
        depends=lambda wildcards: json.dumps(
            [settings.predict.result_relevant(), settings.entry(wildcards.model).result_relevant()]
        ),
        config=handed_over("predict"),
        model=lambda wildcards, threads: settings.entry(wildcards.model).model_dump_json(),
        train=lambda wildcards: trained(wildcards.model),
        boxes=lambda wildcards: predictions_of(settings.models[wildcards.model].boxes_from),
        correspond=lambda wildcards, input: input.get("correspond", []),
        tensors=subpath(input.manifest, parent=True),
    message:
        "Predict with {wildcards.model}"
    shell:
        "python -m massm.stages.predict --config {params.config:q} --model {params.model:q}"
        " --tensors {params.tensors:q} --train {params.train:q} --boxes {params.boxes:q}"
        " --correspond {params.correspond:q} --output {output.folder:q} &> {log:q}"


for name in MODELS:

    rule:
        name:
            f"predict_{name}"
        input:
            f"<results>/predict/{name}",


rule predict:
    input:
        expand("<results>/predict/{model}", model=MODELS),
