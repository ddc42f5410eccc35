"""All measures of all models, by the same code, as long tables."""

from massm.config.evaluate import ComparisonConfig, DetectionMeasuresConfig, SurfaceMeasuresConfig

TRUTH = {
    "cohort": "<results>/dataset/cohort.tsv",
    "groomed": groom_batches,
    "particles": expand("<results>/correspond/{anatomy}.npz", anatomy=ANATOMIES),
}


rule evaluate_local:
    input:
        **TRUTH,
        predictions="<results>/predict/{model}",
        surfaces="<results>/reconstruct/{model}",
        references="<results>/reconstruct/reference",
    output:
        table="<results>/evaluate/{model}/local.csv",
    log:
        "<logs>/evaluate/{model}_local.log",
    benchmark:
        "<benchmarks>/evaluate/{model}_local.tsv"
    conda:
        MASSM
    threads: 4
    resources:
        mem_mb=8000,
        runtime=480,
    params:
        config=section("evaluate", SurfaceMeasuresConfig),
        results=settings.results,
    message:
        "Measure {wildcards.model}: surfaces and particles in the image"
    shell:
        "python -m massm.stages.evaluate_local --config {params.config:q}"
        " --model {wildcards.model:q} --cohort {input.cohort:q} --groomed {input.groomed:q}"
        " --particles {input.particles:q} --predictions {input.predictions:q}"
        " --surfaces {input.surfaces:q} --references {input.references:q}"
        " --results {params.results:q} --table {output.table:q} --threads {threads} &> {log:q}"


rule evaluate_world:
    input:
        **TRUTH,
        predictions="<results>/predict/{model}",
        surfaces="<results>/reconstruct/{model}",
        references="<results>/reconstruct/reference",
    output:
        table="<results>/evaluate/{model}/world.csv",
    log:
        "<logs>/evaluate/{model}_world.log",
    benchmark:
        "<benchmarks>/evaluate/{model}_world.tsv"
    conda:
        MASSM
    threads: 4
    resources:
        mem_mb=8000,
        runtime=480,
    params:
        config=section("evaluate", SurfaceMeasuresConfig),
        results=settings.results,
    message:
        "Measure {wildcards.model}: particles in the population's frame"
    shell:
        "python -m massm.stages.evaluate_world --config {params.config:q}"
        " --model {wildcards.model:q} --cohort {input.cohort:q} --groomed {input.groomed:q}"
        " --particles {input.particles:q} --predictions {input.predictions:q}"
        " --surfaces {input.surfaces:q} --references {input.references:q}"
        " --results {params.results:q} --table {output.table:q} --threads {threads} &> {log:q}"


rule evaluate_detection:
    input:
        **TRUTH,
        predictions="<results>/predict/{model}",
    output:
        table="<results>/evaluate/{model}/detection.csv",
    log:
        "<logs>/evaluate/{model}_detection.log",
    benchmark:
        "<benchmarks>/evaluate/{model}_detection.tsv"
    conda:
        MASSM
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        config=section("evaluate", DetectionMeasuresConfig),
        results=settings.results,
    message:
        "Measure {wildcards.model}: centers, boxes, presence"
    shell:
        "python -m massm.stages.evaluate_detection --config {params.config:q}"
        " --model {wildcards.model:q} --cohort {input.cohort:q} --groomed {input.groomed:q}"
        " --particles {input.particles:q} --predictions {input.predictions:q}"
        " --results {params.results:q} --table {output.table:q} &> {log:q}"


rule evaluate_missed:
    input:
        **TRUTH,
        predictions=expand("<results>/predict/{model}", model=MODELS),
        template="<results>/tensors/template.safetensors",
        warps=expand("<results>/reconstruct/warp/{anatomy}.npz", anatomy=ANATOMIES),
        references="<results>/reconstruct/reference",
    output:
        table="<results>/evaluate/missed.csv",
    log:
        "<logs>/evaluate/missed.log",
    benchmark:
        "<benchmarks>/evaluate/missed.tsv"
    conda:
        MASSM
    threads: 2
    resources:
        mem_mb=8000,
        runtime=240,
    params:
        config=section("evaluate", SurfaceMeasuresConfig),
        models=MODELS,
        anatomies=ANATOMIES,
        results=settings.results,
    message:
        "Measure what missed anatomies cost"
    shell:
        "python -m massm.stages.evaluate_missed --config {params.config:q}"
        " --models {params.models:q} --anatomies {params.anatomies:q} --cohort {input.cohort:q}"
        " --groomed {input.groomed:q} --particles {input.particles:q}"
        " --predictions {input.predictions:q} --template {input.template:q}"
        " --warps {input.warps:q} --references {input.references:q}"
        " --results {params.results:q} --table {output.table:q} --threads {threads} &> {log:q}"


rule evaluate_summary:
    input:
        checked=ancient(subject_table),
        cohort="<results>/dataset/cohort.tsv",
        groomed=groom_batches,
        missed="<results>/evaluate/missed.csv",
        measured=measured(MODELS),
    output:
        summary="<results>/evaluate/summary.csv",
        tests="<results>/evaluate/tests.csv",
        claims="<results>/evaluate/claims.csv",
        anatomies="<results>/evaluate/anatomies.csv",
    log:
        "<logs>/evaluate/summary.log",
    benchmark:
        "<benchmarks>/evaluate/summary.tsv"
    conda:
        MASSM
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        config=section("evaluate", ComparisonConfig),
        bounds=list(NAMES.bounds),
    message:
        "Summarize all models, compare them"
    shell:
        "python -m massm.stages.evaluate_summary --config {params.config:q}"
        " --bounds {params.bounds:q} --measured {input.measured:q} --missed {input.missed:q} --cohort {input.cohort:q}"
        " --groomed {input.groomed:q} --summary {output.summary:q} --tests {output.tests:q}"
        " --claims {output.claims:q} --anatomies {output.anatomies:q} &> {log:q}"


rule eval_local:
    input:
        measured(MODELS, "local"),


rule eval_world:
    input:
        measured(MODELS, "world"),


rule eval_detection:
    input:
        measured(MODELS, "detection"),


rule evaluate:
    input:
        rules.evaluate_summary.output,
        COVERAGE,


rule baselines:
    input:
        measured([name for name in MODELS if name != settings.evaluate.reference_model]),
