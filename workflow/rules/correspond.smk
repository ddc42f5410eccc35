"""Particles in correspondence: a model of the training subjects, then fits of the others to it."""


rule correspond_particles:
    input:
        index=groom_batches,
        alignment="<results>/groom/alignment/{anatomy}.json",
        project=shapeworks_project,
    output:
        particles="<results>/correspond/{anatomy}.npz",
        model="<results>/correspond/{anatomy}/model.npz",
        quality="<results>/correspond/{anatomy}/quality.json",
        curves="<results>/correspond/{anatomy}/curves.csv",
        subjects="<results>/correspond/{anatomy}/particles.csv",
        texts=directory("<results>/correspond/{anatomy}/particles"),
        studio="<results>/correspond/{anatomy}/{anatomy}.swproj",
    log:
        "<logs>/correspond/{anatomy}.log",
    benchmark:
        "<benchmarks>/correspond/{anatomy}.tsv"
    wildcard_constraints:
        anatomy="|".join(ALONE) or "(?!)",  # the others share a rule, below
    conda:
        branch(
            settings.correspond.backend == "shapeworks",
            then=SHAPEWORKS,
            otherwise=MASSM,
        )
    threads: settings.correspond.threads
    resources:
        mem_mb=24000,
        runtime=1440,
        gpu=int(settings.correspond.device.startswith("cuda")),
    params:
        depends=result_relevant("correspond"),
        config=handed_over("correspond"),
        results=settings.results,
        folder=subpath(output.quality, parent=True),
        project=lambda wildcards, input: ["--project", input.project] if input.project else [],
        truth=["--truth", PHANTOM / "truth"] if is_phantom() else [],
    message:
        "Place particles on {wildcards.anatomy}"
    shell:
        "python -m massm.stages.correspond --config {params.config:q}"
        " --anatomy {wildcards.anatomy:q} --index {input.index:q}"
        " --alignment {input.alignment:q} --results {params.results:q}"
        " --particles {output.particles:q} --folder {params.folder:q} {params.project:q}"
        " {params.truth:q} &> {log:q}"


# A left and a right anatomy that are one population come out of one job.
for pair in settings.correspond.pooled:

    rule:
        name:
            f"correspond_pooled_{'-'.join(pair)}"
        input:
            index=groom_batches,
            alignments=expand("<results>/groom/alignment/{anatomy}.json", anatomy=pair),
        output:
            particles=expand("<results>/correspond/{anatomy}.npz", anatomy=pair),
            model=expand("<results>/correspond/{anatomy}/model.npz", anatomy=pair),
            quality=expand("<results>/correspond/{anatomy}/quality.json", anatomy=pair),
            curves=expand("<results>/correspond/{anatomy}/curves.csv", anatomy=pair),
            subjects=expand("<results>/correspond/{anatomy}/particles.csv", anatomy=pair),
            texts=directory(expand("<results>/correspond/{anatomy}/particles", anatomy=pair)),
            studio=expand("<results>/correspond/{anatomy}/{anatomy}.swproj", anatomy=pair),
        log:
            f"<logs>/correspond/{'-'.join(pair)}.log",  # no anatomy is called with a "-"
        benchmark:
            f"<benchmarks>/correspond/{'-'.join(pair)}.tsv"
        conda:
            MASSM
        threads: settings.correspond.threads
        resources:
            mem_mb=24000,
            runtime=1440,
            gpu=int(settings.correspond.device.startswith("cuda")),
        params:
            depends=result_relevant("correspond"),
            config=handed_over("correspond"),
            anatomies=pair,
            results=settings.results,
            folders=[settings.results / "correspond" / name for name in pair],
            truth=["--truth", PHANTOM / "truth"] if is_phantom() else [],
        message:
            "Place particles on {params.anatomies}, as one population"
        shell:
            "python -m massm.stages.correspond_pooled --config {params.config:q}"
            " --anatomies {params.anatomies:q} --index {input.index:q}"
            " --alignments {input.alignments:q} --results {params.results:q}"
            " --particles {output.particles:q} --folders {params.folders:q}"
            " {params.truth:q} &> {log:q}"


rule correspond_joint:
    input:
        checked=ancient(subject_table),
        particles=joint_particles,
    output:
        model="<results>/correspond_joint/model.npz",
        scores="<results>/correspond_joint/scores.csv",
        quality="<results>/correspond_joint/quality.json",
    log:
        "<logs>/correspond_joint.log",
    benchmark:
        "<benchmarks>/correspond_joint.tsv"
    conda:
        MASSM
    resources:
        mem_mb=8000,
        runtime=240,
    params:
        config=section("correspond.joint"),
    message:
        "Join the shape models of several anatomies"
    shell:
        "python -m massm.stages.correspond_joint --config {params.config:q}"
        " --particles {input.particles:q} --model {output.model:q} --scores {output.scores:q}"
        " --quality {output.quality:q} &> {log:q}"


rule correspond:
    input:
        expand("<results>/correspond/{anatomy}.npz", anatomy=ANATOMIES),


rule pdm:
    input:
        expand("<results>/correspond/{anatomy}/quality.json", anatomy=ANATOMIES),
        if_joint("<results>/correspond_joint/quality.json"),
