"""Training. An interrupted run continues from its last epoch when the rule runs again."""


rule train_massm:
    input:
        checked=ancient(subject_table),
        manifest="<results>/tensors/manifest.json",
        template="<results>/tensors/template.safetensors",
    output:
        weights="<results>/train/massm/model.safetensors",
        description="<results>/train/massm/model.json",
        curves="<results>/train/massm/curves.csv",
    log:
        "<logs>/train/massm.log",
    benchmark:
        "<benchmarks>/train/massm.tsv"
    conda:
        MASSM
    threads: settings.train.threads or CORES
    resources:
        mem_mb=28000,
        runtime=1440,
        gpu=settings.train.devices if settings.train.accelerator == "gpu" else 0,
    params:
        depends=result_relevant("train"),
        config=handed_over("train"),
        model=section("model"),
        folder=settings.results / "train" / "massm",
        tensors=subpath(input.manifest, parent=True),
    message:
        "Train MASSM; progress in {log}"
    shell:
        "python -m massm.stages.train --config {params.config:q} --model {params.model:q}"
        " --tensors {params.tensors:q} --output {params.folder:q} &> {log:q}"


rule train:
    input:
        rules.train_massm.output,
