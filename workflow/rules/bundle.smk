"""The trained model as a folder of its own: all that predicts a new scan, without this run."""


rule bundle_model:
    input:
        checked=ancient(subject_table),
        weights="<results>/train/{model}/model.safetensors",
        description="<results>/train/{model}/model.json",
        correspond=expand("<results>/correspond/{anatomy}.npz", anatomy=ANATOMIES),
        templates=expand("<results>/template/{anatomy}.vtp", anatomy=ANATOMIES),
        records=expand("<results>/template/{anatomy}.json", anatomy=ANATOMIES),
    output:
        weights="<results>/models/{model}/model.safetensors",
        description="<results>/models/{model}/model.json",
        shapes="<results>/models/{model}/shapes.safetensors",
    log:
        "<logs>/bundle/{model}.log",
    benchmark:
        "<benchmarks>/bundle/{model}.tsv"
    conda:
        MASSM
    resources:
        mem_mb=8000,
        runtime=60,
    params:
        config=section("reconstruct"),
        depends=lambda wildcards: json.dumps(settings.entry(wildcards.model).decisive()),
        model=lambda wildcards, threads: settings.entry(wildcards.model).model_dump_json(),
        anatomies=ANATOMIES,
        train=subpath(input.weights, parent=True),
        folder=subpath(output.weights, parent=True),
    message:
        "Write the model folder {params.folder}"
    shell:
        "python -m massm.stages.bundle --config {params.config:q}"
        " --model {params.model:q} --anatomies {params.anatomies:q}"
        " --train {params.train:q} --correspond {input.correspond:q}"
        " --templates {input.templates:q} --output {params.folder:q} &> {log:q}"


rule bundle:
    input:
        expand("<results>/models/{model}/model.json", model=CARRIED),
