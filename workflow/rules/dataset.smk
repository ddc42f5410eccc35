"""Subjects and organs: what is used, what is not and why, and the split."""


rule phantom_cohort:
    output:
        done=PHANTOM / "phantom.json",
    log:
        "<logs>/phantom.log",
    benchmark:
        "<benchmarks>/phantom.tsv"
    conda:
        "../../envs/massm.yaml"
    threads: 8
    resources:
        mem_mb=8000,
        runtime=60,
    params:
        config=section("phantom"),
    message:
        "Make the synthetic cohort"
    shell:
        "python -m massm.stages.phantom --config {params.config:q} --done {output.done:q}"
        " --threads {threads} &> {log:q}"


checkpoint dataset:
    input:
        phantom=PHANTOM / "phantom.json" if is_phantom() else [],
    output:
        subjects="<results>/dataset/subjects.tsv",
        cohort="<results>/dataset/cohort.tsv",
    log:
        "<logs>/dataset.log",
    benchmark:
        "<benchmarks>/dataset.tsv"
    conda:
        "../../envs/massm.yaml"
    threads: 8
    resources:
        mem_mb=8000,
        runtime=120,
    params:
        config=section("dataset"),
        root=lambda wildcards: dataset_root(),
        anatomies=ANATOMIES,
    message:
        "Check {params.root}, draw the split"
    shell:
        "python -m massm.stages.dataset --config {params.config:q} --anatomies {params.anatomies:q}"
        " --cohort {output.cohort:q} --subjects {output.subjects:q} --threads {threads} &> {log:q}"


rule phantom:
    input:
        rules.phantom_cohort.output,
