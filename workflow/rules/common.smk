"""What all rules share: a stage's config as parameter, the cohort's subjects, the environment."""

import json
import typing
from pathlib import Path

from snakemake.settings.types import DeploymentMethod

from massm.config.evaluate import ModelName

ANATOMIES = list(settings.anatomies)
ALONE = [name for name in ANATOMIES if settings.correspond.pool_of(name) == (name,)]
MODELS = list(typing.get_args(ModelName))
PHANTOM = settings.phantom.root
CONDA = DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method

# Jobs import the package beside the Snakefile. Without conda they run in the Python of this very
# Snakemake, whether its environment is activated or not.
# Threads that wait for each other sleep: spinning makes a full machine several times slower.
PYTHONPATH = f"export OMP_WAIT_POLICY=PASSIVE PYTHONPATH='{workflow.basedir}'"
INTERPRETER = f"export PATH='{Path(sys.executable).parent}':\"$PATH\""
shell.prefix(f"{PYTHONPATH}; " if CONDA else f"{PYTHONPATH}; {INTERPRETER}; ")

if workflow.resource_settings.nodes:
    # On a cluster the nodes limit a job's threads; Snakemake would cut them down to the cores of the
    # machine that submits (`cores` of the default profile, which a --profile cannot take back).
    workflow.global_resources["_cores"] = 1024


wildcard_constraints:
    anatomy="|".join(ANATOMIES),
    batch=r"\d{4}",
    model="|".join(MODELS),


def values_of(path, kind=None):
    """Config section of a stage, or the part of it that one of its base classes names."""
    part = settings
    for name in path.split("."):
        part = getattr(part, name)
    return part.part(kind) if kind else part


def section(path, kind=None):
    """Config section as JSON: a parameter, so its changes re-run the stage.

    A function, since Snakemake would look for wildcards in a plain text ("{anatomy}").
    """
    return lambda wildcards: values_of(path, kind).model_dump_json()


def decisive(path, kind=None):
    """What the results depend on, where a stage needs more: a parameter that is only compared."""
    return lambda wildcards: json.dumps(values_of(path, kind).decisive())


def handed_over(path, kind=None):
    """Config section as JSON that is not compared, as Snakemake does with what needs `threads`."""
    return lambda wildcards, threads: values_of(path, kind).model_dump_json()


def cohort_subjects(*splits):
    """Names of the usable subjects of some splits, or of all; waits for the dataset checkpoint."""
    table = read_table(subject_table(None))
    used = table[table.status == "used"]
    return list(used.subject[used.split.isin(splits)] if splits else used.subject)


def batch_names(size):
    """Names of the batches that the subjects are cut into."""
    return [f"{number:04d}" for number in range(-(-len(cohort_subjects()) // size))]


def batch_subjects(batch, size):
    """Names of the subjects in one batch."""
    return cohort_subjects()[int(batch) * size :][:size]


def subject_table(wildcards):
    """The table of subjects, once the checkpoint found it to be of use.

    Jobs whose parameters depend on the checkpoint need an input that does too. Snakemake then
    waits with the question whether they have changed. Without it, all that follows is run again.
    """
    checkpoints.dataset_check.get()
    return str(settings.results / "dataset" / "subjects.tsv")


def predictions_of(model):
    """Prediction files of one model, one for each predicted subject."""
    return [
        settings.results / "predict" / model / f"{subject}.npz"
        for subject in cohort_subjects(*settings.predict.splits)
    ]


def is_phantom():
    """Tell whether the configured cohort is the one that rule phantom writes."""
    root = settings.dataset.root
    return root is not None and root.resolve() == PHANTOM.resolve()


def dataset_root():
    """Where the cohort lies; if it is missing, say so and nothing else (no traceback)."""
    root = settings.dataset.root
    if root is None:
        raise SystemExit(
            "dataset.root is not set: name your folder of CTs and masks, as in"
            " snakemake all --config dataset='{root: /data/Totalsegmentator_dataset}'"
            " (README, Your own data), or run make demo for a synthetic cohort"
        )
    if not root.exists() and not is_phantom():
        raise SystemExit(f"dataset.root: {root} does not exist")
    return root


def shapeworks_project(wildcards):
    """The project that backend `project` takes particles from; none for the other backends."""
    if settings.correspond.backend != "project":
        return []
    path = settings.correspond.project.of(wildcards.anatomy)
    if not path.is_file():
        raise SystemExit(
            f"correspond.project.file: {path} does not exist, expected the ShapeWorks project of"
            f" {wildcards.anatomy} (README, Shape models from ShapeWorks)"
        )
    return path


def joint_particles(wildcards):
    """Particles of the anatomies of the joint model."""
    joined = settings.correspond.joint.anatomies
    if not joined:
        raise SystemExit(
            "correspond.joint.anatomies names no anatomies: name two or more, as in snakemake"
            " correspond_joint --config correspond='{joint: {anatomies: [Mandible, Larynx]}}'"
        )
    return expand("<results>/correspond/{anatomy}.npz", anatomy=joined)


def if_joint(*files):
    """Files of the joint model, if there is to be one."""
    return list(files) if settings.correspond.joint.anatomies else []


def groom_batches(wildcards):
    """Tables of all groomed batches."""
    names = batch_names(settings.jobs.groom_subjects)
    return [settings.results / "groom" / "index" / f"{batch}.tsv" for batch in names]


def tensors_batches(wildcards):
    """Marks of all exported batches."""
    names = batch_names(settings.jobs.tensors_subjects)
    return expand("<results>/tensors/batches/{batch}.done", batch=names)


def tensors_files(wildcards):
    """Exported files of all subjects, which the marks stand for."""
    return expand(f"{settings.results}/tensors/{{subject}}.safetensors", subject=cohort_subjects())
