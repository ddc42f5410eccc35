"""The medoid of every anatomy: the training subject nearest to the average."""


rule template_medoid:
    input:
        checked=ancient(subject_table),
        particles="<results>/correspond/{anatomy}.npz",
    output:
        mesh="<results>/template/{anatomy}.vtp",
        record="<results>/template/{anatomy}.json",
    log:
        "<logs>/template/{anatomy}.log",
    benchmark:
        "<benchmarks>/template/{anatomy}.tsv"
    conda:
        MASSM
    resources:
        mem_mb=8000,
        runtime=120,
    params:
        config=section("template"),
        results=settings.results,
    message:
        "Choose the template of {wildcards.anatomy}"
    shell:
        "python -m massm.stages.template --config {params.config:q} --anatomy {wildcards.anatomy:q}"
        " --particles-file {input.particles:q} --results {params.results:q}"
        " --mesh {output.mesh:q} --record {output.record:q} &> {log:q}"


rule template:
    input:
        expand("<results>/template/{anatomy}.vtp", anatomy=ANATOMIES),
