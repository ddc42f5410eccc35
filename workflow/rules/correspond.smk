"""Particles in correspondence: a model of the training subjects, then fits of the others to it."""

# One job for each population, whose files are called by its anatomies, one or two: a rule's outputs
# have to name them, so each population has a rule, all from this text.
for population, members in settings.correspond.populations_of(ANATOMIES).items():

    rule:
        name:
            f"correspond_particles_{population}"
        input:
            index=groom_batches,
            alignments=expand("<results>/groom/alignment/{anatomy}.json", anatomy=members),
            project=shapeworks_project(members),
        output:
            particles=expand("<results>/correspond/{anatomy}.npz", anatomy=members),
            model=expand("<results>/correspond/{anatomy}/model.npz", anatomy=members),
            quality=expand("<results>/correspond/{anatomy}/quality.json", anatomy=members),
            curves=expand("<results>/correspond/{anatomy}/curves.csv", anatomy=members),
            subjects=expand("<results>/correspond/{anatomy}/particles.csv", anatomy=members),
            texts=directory(expand("<results>/correspond/{anatomy}/particles", anatomy=members)),
            studio=expand("<results>/correspond/{anatomy}/{anatomy}.swproj", anatomy=members),
        log:
            f"<logs>/correspond/{population}.log",
        benchmark:
            f"<benchmarks>/correspond/{population}.tsv"
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
            population=population,
            anatomies=members,
            results=settings.results,
            folders=[settings.results / "correspond" / name for name in members],
            project=lambda wildcards, input: ["--project", input.project] if input.project else [],
            truth=["--truth", PHANTOM / "truth"] if is_phantom() else [],
        message:
            "Place particles on {params.population}"
        shell:
            "python -m massm.stages.correspond --config {params.config:q}"
            " --population {params.population:q} --anatomies {params.anatomies:q}"
            " --index {input.index:q} --alignments {input.alignments:q} --results {params.results:q}"
            " --particles {output.particles:q} --folders {params.folders:q} {params.project:q}"
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
