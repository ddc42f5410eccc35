"""Training. An interrupted run continues from its last epoch when the rule runs again.

One network serves all anatomies (`train/{model}/`), or each has its own (`train/{model}/{part}/`).
"""


rule train_model:
    input:
        unpack(learned_files),
        checked=ancient(subject_table),
        manifest="<results>/tensors/manifest.json",
        template="<results>/tensors/template.safetensors",
    output:
        weights="<results>/train/{model}/model.safetensors",
        description="<results>/train/{model}/model.json",
        curves="<results>/train/{model}/curves.csv",
    log:
        "<logs>/train/{model}.log",
    benchmark:
        "<benchmarks>/train/{model}.tsv"
    wildcard_constraints:
        model="|".join(TRAINED),
    conda:
        MASSM
    threads: lambda wildcards: settings.training(wildcards.model).threads or CORES
    resources:
        mem_mb=28000,
        runtime=1440,
        gpu=lambda wildcards: gpus(settings.training(wildcards.model)),
    params:
        depends=learned_from,
        config=lambda wildcards, threads: settings.training(wildcards.model).model_dump_json(),
        model=lambda wildcards, threads: ENTRIES[wildcards.model].model_dump_json(),
        anatomies=lambda wildcards: [wildcards.part] if "part" in wildcards.keys() else [],
        folder=subpath(output.weights, parent=True),
        tensors=subpath(input.manifest, parent=True),
    message:
        "Train {wildcards.model}; progress in {log}"
    shell:
        "python -m massm.stages.train --config {params.config:q} --model {params.model:q}"
        " --anatomies {params.anatomies:q} --tensors {params.tensors:q}"
        " --output {params.folder:q} &> {log:q}"


use rule train_model as train_part with:
    output:
        weights="<results>/train/{model}/{part}/model.safetensors",
        description="<results>/train/{model}/{part}/model.json",
        curves="<results>/train/{model}/{part}/curves.csv",
    log:
        "<logs>/train/{model}/{part}.log",
    benchmark:
        "<benchmarks>/train/{model}/{part}.tsv"
    message:
        "Train {wildcards.model} of {wildcards.part}; progress in {log}"


for name in TRAINED:

    rule:
        name:
            f"train_{name}"
        input:
            trained(name, "model.safetensors"),


rule train:
    input:
        [trained(name, "model.safetensors") for name in TRAINED],
