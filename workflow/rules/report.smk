"""Figures, tables and one page that opens offline."""


rule report_page:
    input:
        subjects="<results>/dataset/subjects.tsv",
        cohort="<results>/dataset/cohort.tsv",
        groomed=groom_batches,
        alignments=expand("<results>/groom/alignment/{anatomy}.json", anatomy=ANATOMIES),
        particles=expand("<results>/correspond/{anatomy}.npz", anatomy=ANATOMIES),
        quality=expand("<results>/correspond/{anatomy}/quality.json", anatomy=ANATOMIES),
        curves=expand("<results>/correspond/{anatomy}/curves.csv", anatomy=ANATOMIES),
        joint=if_joint(
            "<results>/correspond_joint/model.npz",
            "<results>/correspond_joint/scores.csv",
            "<results>/correspond_joint/quality.json",
        ),
        templates=expand("<results>/template/{anatomy}.vtp", anatomy=ANATOMIES),
        manifest="<results>/tensors/manifest.json",
        weights=[trained(name, "model.safetensors", "model.json") for name in TRAINED],
        training=[trained(name, "curves.csv") for name in TRAINED],
        warps=expand("<results>/reconstruct/warp/{anatomy}.npz", anatomy=ANATOMIES),
        surfaces=expand("<results>/reconstruct/{model}", model=[*MODELS, "reference"]),
        measured=rules.evaluate_summary.input.measured,
        summary="<results>/evaluate/summary.csv",
        tests="<results>/evaluate/tests.csv",
        claims="<results>/evaluate/claims.csv",
        anatomies="<results>/evaluate/anatomies.csv",
        coverage=COVERAGE,
    output:
        page="<results>/report/report.html",
        table="<results>/report/results.csv",
        figures=directory("<results>/report/figures"),
    log:
        "<logs>/report.log",
    benchmark:
        "<benchmarks>/report.tsv"
    conda:
        MASSM
    resources:
        mem_mb=8000,
        runtime=120,
    params:
        config=lambda wildcards: settings.model_dump_json(),  # "{anatomy}" in it is no wildcard
        results=settings.results,
        coverage=lambda wildcards, input: ["--coverage", input.coverage] if COVERAGE else [],
    message:
        "Write {output.page}"
    shell:
        "python -m massm.stages.report --config {params.config:q} --results {params.results:q}"
        " --groomed {input.groomed:q} --training {input.training:q} --measured {input.measured:q}"
        " --page {output.page:q} --table {output.table:q} --figures {output.figures:q}"
        " {params.coverage:q} &> {log:q}"


rule report_paper:
    input:
        checked=ancient(subject_table),
        measured=measured(MODELS, "local", "world"),
        particles=expand("<results>/correspond/{anatomy}.npz", anatomy=ANATOMIES),
        surfaces=expand("<results>/reconstruct/{model}", model=[*MODELS, "reference"]),
    output:
        figures=directory("<results>/report/paper"),
    log:
        "<logs>/report_paper.log",
    benchmark:
        "<benchmarks>/report_paper.tsv"
    conda:
        MASSM
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        names=lambda wildcards: NAMES.model_dump_json(),
        anatomies=ANATOMIES,
        dpi=settings.report.figure_dpi,
        results=settings.results,
    message:
        "Draw the paper's figures into {output.figures}"
    shell:
        "python -m massm.stages.report_paper --names {params.names:q}"
        " --anatomies {params.anatomies:q} --dpi {params.dpi} --results {params.results:q}"
        " --measured {input.measured:q} --figures {output.figures:q} &> {log:q}"


rule report:
    input:
        rules.report_page.output,
        rules.report_paper.output,
