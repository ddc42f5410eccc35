"""Particles, boxes and presence of the subjects that are measured, and bounds beside them."""

from massm.config.predict import NetworkPredictionConfig, OracleConfig, PredictedConfig


rule predict_massm:
    input:
        checked=ancient(subject_table),
        manifest="<results>/tensors/manifest.json",
        weights="<results>/train/massm/model.safetensors",
        description="<results>/train/massm/model.json",
    output:
        folder=directory("<results>/predict/massm"),
    log:
        "<logs>/predict/massm.log",
    benchmark:
        "<benchmarks>/predict/massm.tsv"
    conda:
        MASSM
    threads: settings.predict.threads or CORES
    resources:
        mem_mb=16000,
        runtime=120,
        gpu=int(settings.predict.accelerator == "gpu"),
    params:
        depends=result_relevant("predict", NetworkPredictionConfig),
        config=handed_over("predict", NetworkPredictionConfig),
        tensors=subpath(input.manifest, parent=True),
        model=subpath(input.weights, parent=True),
    message:
        "Predict with MASSM"
    shell:
        "python -m massm.stages.predict --config {params.config:q} --tensors {params.tensors:q}"
        " --train {params.model:q} --output {output.folder:q} &> {log:q}"


rule predict_mean_shape:
    input:
        checked=ancient(subject_table),
        folder="<results>/predict/massm",
        template="<results>/tensors/template.safetensors",
    output:
        folder=directory("<results>/predict/mean_shape"),
    log:
        "<logs>/predict/mean_shape.log",
    benchmark:
        "<benchmarks>/predict/mean_shape.tsv"
    conda:
        MASSM
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        predictions=lambda wildcards: predictions_of("massm"),
    message:
        "Place the mean shape at the predicted centers"
    shell:
        "python -m massm.stages.predict_mean_shape --predictions {params.predictions:q}"
        " --template {input.template:q} --output {output.folder:q} &> {log:q}"


rule predict_pca_oracle:
    input:
        checked=ancient(subject_table),
        correspond=expand("<results>/correspond/{anatomy}.npz", anatomy=ANATOMIES),
        manifest="<results>/tensors/manifest.json",
    output:
        folder=directory("<results>/predict/pca_oracle"),
    log:
        "<logs>/predict/pca_oracle.log",
    benchmark:
        "<benchmarks>/predict/pca_oracle.tsv"
    conda:
        MASSM
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        config=section("predict", OracleConfig),
        local=section("model.local"),
        anatomies=ANATOMIES,
    message:
        "Project the true particles on the shape model"
    shell:
        "python -m massm.stages.predict_pca_oracle --config {params.config:q}"
        " --local {params.local:q}"
        " --anatomies {params.anatomies:q} --correspond {input.correspond:q}"
        " --manifest {input.manifest:q} --output {output.folder:q} &> {log:q}"


rule predict_truth:
    input:
        checked=ancient(subject_table),
        correspond=expand("<results>/correspond/{anatomy}.npz", anatomy=ANATOMIES),
        manifest="<results>/tensors/manifest.json",
    output:
        folder=directory("<results>/predict/truth"),
    log:
        "<logs>/predict/truth.log",
    benchmark:
        "<benchmarks>/predict/truth.tsv"
    conda:
        MASSM
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        config=section("predict", PredictedConfig),
        anatomies=ANATOMIES,
    message:
        "Lay out the true particles as a model's"
    shell:
        "python -m massm.stages.predict_truth --config {params.config:q}"
        " --anatomies {params.anatomies:q} --correspond {input.correspond:q}"
        " --manifest {input.manifest:q} --output {output.folder:q} &> {log:q}"


rule predict:
    input:
        expand("<results>/predict/{model}", model=MODELS),
