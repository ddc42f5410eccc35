"""The trained model as a folder of its own: all that predicts a new scan, without this run."""


rule bundle_model:
    input:
        checked=ancient(subject_table),
        counts="<results>/dataset/counts.tsv",
        surfaces=groom_batches,  # tables that hold the hash of every groomed surface
        alignments=expand("<results>/groom/alignment/{anatomy}.json", anatomy=ANATOMIES),
        weights="<results>/train/{model}/model.safetensors",
        description="<results>/train/{model}/model.json",
        correspond=expand("<results>/correspond/{anatomy}.npz", anatomy=ANATOMIES),
        models=expand("<results>/correspond/{anatomy}/model.npz", anatomy=ANATOMIES),
        templates=expand("<results>/template/{anatomy}.vtp", anatomy=ANATOMIES),
        records=expand("<results>/template/{anatomy}.json", anatomy=ANATOMIES),
        summary=["<results>/evaluate/summary.csv"] if settings.bundle.metrics else [],
        intervals=lambda wildcards: intervals_of(wildcards.model),
        trust=lambda wildcards: trust_of(wildcards.model),
    output:
        weights="<results>/models/{model}/model.safetensors",
        description="<results>/models/{model}/model.json",
        shapes="<results>/models/{model}/shapes.safetensors",
        card="<results>/models/{model}/card.md",
        fits=["<results>/models/{model}/fit.safetensors"] if settings.bundle.fit else [],
        intervals=["<results>/models/{model}/intervals.npz"] if SURE else [],
        trust=["<results>/models/{model}/trust.npz"] if TOLD else [],
    log:
        "<logs>/bundle/{model}.log",
    benchmark:
        "<benchmarks>/bundle/{model}.tsv"
    conda:
        MASSM
    resources:
        mem_mb=8000,
        runtime=120,
    params:
        config=section("bundle"),
        reconstruct=section("reconstruct"),
        groom=section("groom"),
        depends=result_relevant("correspond"),
        engine=handed_over("correspond"),
        decides=lambda wildcards: json.dumps(ENTRIES[wildcards.model].result_relevant()),
        model=lambda wildcards, threads: ENTRIES[wildcards.model].model_dump_json(),
        confidence=settings.evaluate.confidence,
        anatomies=ANATOMIES,
        train=subpath(input.weights, parent=True),
        results=settings.results,
        folder=subpath(output.weights, parent=True),
        summary=lambda wildcards, input: ["--summary", input.summary] if input.summary else [],
        intervals=lambda wildcards, input: (
            ["--intervals", input.intervals] if input.intervals else []
        ),
        trust=lambda wildcards, input: ["--trust", input.trust] if input.trust else [],
    message:
        "Write the model folder {params.folder}"
    shell:
        "python -m massm.stages.bundle --config {params.config:q}"
        " --reconstruct {params.reconstruct:q} --groom {params.groom:q}"
        " --engine {params.engine:q} --model {params.model:q} --name {wildcards.model:q}"
        " --confidence {params.confidence} --anatomies {params.anatomies:q}"
        " --train {params.train:q} --results {params.results:q} --output {params.folder:q}"
        " {params.summary:q} {params.intervals:q} {params.trust:q} &> {log:q}"


rule bundle:
    input:
        expand("<results>/models/{model}/model.json", model=CARRIED),
