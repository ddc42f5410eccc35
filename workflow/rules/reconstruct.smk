"""Closed surfaces from particles: the template's mesh, warped."""

from massm.config.evaluate import MeasuredConfig


rule reconstruct_warp:
    input:
        checked=ancient(subject_table),
        template="<results>/template/{anatomy}.vtp",
        record="<results>/template/{anatomy}.json",
        particles="<results>/correspond/{anatomy}.npz",
    output:
        warp="<results>/reconstruct/warp/{anatomy}.npz",
    log:
        "<logs>/reconstruct/warp/{anatomy}.log",
    benchmark:
        "<benchmarks>/reconstruct/warp/{anatomy}.tsv"
    conda:
        MASSM
    resources:
        mem_mb=8000,
        runtime=60,
    params:
        config=section("reconstruct"),
    message:
        "Bind the template's mesh of {wildcards.anatomy} to its particles"
    shell:
        "python -m massm.stages.reconstruct_warp --config {params.config:q}"
        " --anatomy {wildcards.anatomy:q} --template {input.template:q} --record {input.record:q}"
        " --particles-file {input.particles:q} --warp {output.warp:q} &> {log:q}"


rule reconstruct_model:
    input:
        checked=ancient(subject_table),
        predictions="<results>/predict/{model}",
        warps=expand("<results>/reconstruct/warp/{anatomy}.npz", anatomy=ANATOMIES),
    output:
        folder=directory("<results>/reconstruct/{model}"),
        index="<results>/reconstruct/{model}.tsv",
    log:
        "<logs>/reconstruct/{model}.log",
    benchmark:
        "<benchmarks>/reconstruct/{model}.tsv"
    conda:
        MASSM
    resources:
        mem_mb=8000,
        runtime=240,
    params:
        predictions=lambda wildcards: predictions_of(wildcards.model),
        surface=section("groom.surface"),
        results=settings.results,
    message:
        "Make surfaces of {wildcards.model}"
    shell:
        "python -m massm.stages.reconstruct --model {wildcards.model:q}"
        " --predictions {params.predictions:q} --warps {input.warps:q}"
        " --surface {params.surface:q} --results {params.results:q} --index {output.index:q} &> {log:q}"


rule reconstruct_reference:
    input:
        checked=ancient(subject_table),
        particles=expand("<results>/correspond/{anatomy}.npz", anatomy=ANATOMIES),
        warps=expand("<results>/reconstruct/warp/{anatomy}.npz", anatomy=ANATOMIES),
    output:
        folder=directory("<results>/reconstruct/reference"),
        index="<results>/reconstruct/reference.tsv",
    log:
        "<logs>/reconstruct/reference.log",
    benchmark:
        "<benchmarks>/reconstruct/reference.tsv"
    conda:
        MASSM
    resources:
        mem_mb=8000,
        runtime=240,
    params:
        config=section("evaluate", MeasuredConfig),
        results=settings.results,
    message:
        "Make surfaces from true particles"
    shell:
        "python -m massm.stages.reconstruct_reference --config {params.config:q}"
        " --particles-files {input.particles:q} --warps {input.warps:q}"
        " --results {params.results:q} --index {output.index:q} &> {log:q}"


rule reconstruct:
    input:
        expand("<results>/reconstruct/{model}", model=[*MODELS, "reference"]),
