"""The trained model as a folder of its own: all that predicts a new scan, without this run."""


rule bundle_model:
    input:
        checked=ancient(subject_table),
        weights="<results>/train/massm/model.safetensors",
        description="<results>/train/massm/model.json",
        correspond=expand("<results>/correspond/{anatomy}.npz", anatomy=ANATOMIES),
        templates=expand("<results>/template/{anatomy}.vtp", anatomy=ANATOMIES),
        records=expand("<results>/template/{anatomy}.json", anatomy=ANATOMIES),
    output:
        weights="<results>/models/massm/model.safetensors",
        description="<results>/models/massm/model.json",
        shapes="<results>/models/massm/shapes.safetensors",
    log:
        "<logs>/bundle/massm.log",
    benchmark:
        "<benchmarks>/bundle/massm.tsv"
    conda:
        MASSM
    resources:
        mem_mb=8000,
        runtime=60,
    params:
        config=section("reconstruct"),
        box_updates=settings.predict.box_updates,
        anatomies=ANATOMIES,
        train=subpath(input.weights, parent=True),
        folder=settings.results / "models" / "massm",
    message:
        "Write the model folder {params.folder}"
    shell:
        "python -m massm.stages.bundle --config {params.config:q}"
        " --box-updates {params.box_updates} --anatomies {params.anatomies:q}"
        " --train {params.train:q} --correspond {input.correspond:q}"
        " --templates {input.templates:q} --output {params.folder:q} &> {log:q}"


rule bundle:
    input:
        rules.bundle_model.output,
