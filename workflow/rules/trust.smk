"""What is usual of a model's predictions, so that a scan that is not can be told."""

from massm.config.trust import AlarmConfig


rule trust_model:
    input:
        checked=ancient(subject_table),
        predictions="<results>/predict/{model}",
        particles=expand("<results>/correspond/{anatomy}.npz", anatomy=ANATOMIES),
        warps=expand("<results>/reconstruct/warp/{anatomy}.npz", anatomy=ANATOMIES),
    output:
        trust="<results>/trust/{model}/trust.npz",
    log:
        "<logs>/trust/{model}.log",
    benchmark:
        "<benchmarks>/trust/{model}.tsv"
    conda:
        MASSM
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        config=section("trust", AlarmConfig),
        model=lambda wildcards, threads: ENTRIES[wildcards.model].model_dump_json(),
        modes=settings.tensors.modes,
        calibration=lambda wildcards: validated_by(wildcards.model),
    message:
        "Say what is usual of {wildcards.model}"
    shell:
        "python -m massm.stages.trust --config {params.config:q} --model {params.model:q}"
        " --modes {params.modes} --subjects {input.checked:q} --predictions {input.predictions:q}"
        " --particles {input.particles:q} --warps {input.warps:q}"
        " --calibration {params.calibration:q} --trust {output.trust:q} &> {log:q}"


rule trust:
    input:
        expand("<results>/trust/{model}/trust.npz", model=TRUST),
