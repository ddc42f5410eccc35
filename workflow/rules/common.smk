"""What all rules share: a stage's config as parameter, the cohort's subjects, the environment."""

import json
import logging
import os
import shlex
from pathlib import Path

from snakemake.logging import logger
from snakemake.settings.types import DeploymentMethod

from massm.config.dataset import SurveyConfig
from massm.config.models.family import NetworkConfig
from massm.config.models.naming import ModelNames
from massm.io.fingerprint import fingerprint

ANATOMIES = list(settings.anatomies)
MODELS = list(settings.models)
TRAINED = [name for name in MODELS if isinstance(settings.models[name], NetworkConfig)]
CARRIED = [name for name in MODELS if settings.models[name].carried]
NAMES = ModelNames.of(settings.models, settings.evaluate.reference_model)
PHANTOM = settings.phantom.root
# Environment files: absolute, their braces doubled, since Snakemake formats them.
MASSM, SHAPEWORKS = (
    str(Path(workflow.basedir) / "envs" / f"{name}.yaml").replace("{", "{{").replace("}", "}}")
    for name in ("massm", "shapeworks")
)
CONDA = DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method

if os.pathsep in str(workflow.basedir):
    raise WorkflowError(
        f"{workflow.basedir} has {os.pathsep!r} in its name, which Python's search path cannot hold:"
        " move massm to another folder"
    )
# Jobs import the package beside the Snakefile, wherever they run, and (PYTHONSAFEPATH) nothing that
# lies in the working directory. Without conda they run in the Python of this very Snakemake, whether
# its environment is activated or not. Threads that wait for each other sleep: spinning makes a full
# machine several times slower. Descriptor 9 is the terminal: a stage that cannot write to its log,
# as on a full disk, says there why it stopped.
ENVIRONMENT = {
    "OMP_WAIT_POLICY": "PASSIVE",
    "PYTHONPATH": str(workflow.basedir),
    "PYTHONSAFEPATH": "1",
    "MASSM_TERMINAL": "9",
}
exports = [f"export {name}={shlex.quote(value)}" for name, value in ENVIRONMENT.items()]
if not CONDA:
    exports.append(f'export PATH={shlex.quote(str(Path(sys.executable).parent))}:"$PATH"')
prefix = "; ".join(["exec 9>&2", *exports, ""])
shell.prefix(prefix.replace("{", "{{").replace("}", "}}"))

# Rules say what a job needs at the size of the paper's run; on one machine nothing but its cores
# limits jobs (--resources mem_mb=... does). A process of the survey, of grooming or of export, with a
# CT of 512 x 512 x 800 voxels, takes 0.9 GB (benchmarks/scan_memory.py), 1.3 GB if it is of real
# numbers, and more where organs are larger than a lung.
PROCESS_MB = 2000
CORES = 8  # of training and prediction
if not workflow.resource_settings.nodes:
    CORES = min(CORES, workflow.cores)
if workflow.resource_settings.nodes:
    # On a cluster the nodes limit a job's threads; Snakemake would cut them down to the cores of the
    # machine that submits (`cores` of the default profile, which a --profile cannot take back).
    workflow.global_resources["_cores"] = 1024


wildcard_constraints:
    anatomy="|".join(ANATOMIES),
    batch=r"\d{4}",
    model="|".join(MODELS),
    part="|".join(ANATOMIES),


def per_process(wildcards, threads):
    """Memory of a job that works in as many processes as it has threads, MB."""
    return PROCESS_MB * threads


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


def result_relevant(path, kind=None):
    """What the results depend on, where a stage needs more: a parameter that is only compared."""
    return lambda wildcards: json.dumps(values_of(path, kind).result_relevant())


def handed_over(path, kind=None):
    """Config section as JSON that is not compared, as Snakemake does with what needs `threads`."""
    return lambda wildcards, threads: values_of(path, kind).model_dump_json()


# Stages say in their logs what they find; here their modules are only asked what lies where.
logging.getLogger("massm").addHandler(logging.NullHandler())
logging.getLogger("massm").propagate = False
TABLES = {}


def table_of(path):
    """A table of the results, read again only where it has changed: each batch asks for it."""
    state = fingerprint([path])
    if TABLES.get(path, ("", None))[0] != state:
        TABLES[path] = state, read_table(path)
    return TABLES[path][1]


def cohort_state(wildcards):
    """Hash of all that the survey would read: a changed file surveys again."""
    from massm.dataset.fingerprint import cohort_fingerprint

    return cohort_fingerprint(values_of("dataset", SurveyConfig), ANATOMIES)


def batch_state(table, columns, files, subjects):
    """Hash of what a batch takes from a table and of the files that it reads.

    The tables themselves are `ancient` to the batches: one that has its subjects unchanged is not
    made again, and one whose mask or image changed is, even where the table stays the same.
    """
    rows = table_of(str(settings.results / "dataset" / f"{table}.tsv"))
    rows = rows[rows.subject.isin(subjects)]
    paths = [path for column in files for path in rows[column] if path]
    return fingerprint(paths, rows[[*columns, *files]].values.tolist())


def cohort_subjects(*splits):
    """Names of the usable subjects of some splits, or of all; waits for the dataset checkpoint."""
    table = table_of(subject_table(None))
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

    It is an (`ancient`) input named `checked` of every job behind the checkpoint. Snakemake then
    waits with the question whether a job has to run until the cohort is surveyed. Without it, all
    that follows would run again after every survey, be its tables the same to the byte.
    """
    checkpoints.dataset_check.get()
    return str(settings.results / "dataset" / "subjects.tsv")


def imaged_table(wildcards):
    """The table of subjects, if all that are used have an image: networks cannot do without."""
    path = subject_table(wildcards)
    used = table_of(path)[lambda rows: rows.status == "used"]
    lacking = list(used.subject[used.image == ""])
    if lacking:
        named = ", ".join(lacking[:3]) + (", ..." if len(lacking) > 3 else "")
        logger.error(
            f"{len(lacking)} of {len(used)} used subjects have no image ({named}): shape models can"
            " be made of them (snakemake pdm template), but tensors, training and all that follows"
            " need the image of each; name it in the column image or take these subjects out"
        )
        raise SystemExit(1)  # a message of its own would be lost while jobs run
    return path


def gpus(machine):
    """How many GPUs a section of the configuration asks for."""
    return getattr(machine, "devices", 1) if machine.accelerator == "gpu" else 0


def predicting(model):
    """Threads of a model's prediction."""
    return settings.predict.threads or CORES if model in TRAINED else 1


def learned_from(wildcards):
    """What the weights of a model depend on: a parameter that is only compared."""
    training, entry = settings.training(wildcards.model), settings.entry(wildcards.model)
    return json.dumps([training.result_relevant(), entry.learned()])


def trained(model, *names):
    """Folders of a model's networks, one of all anatomies or one of each, or files in them."""
    if model not in TRAINED:
        return []
    folder = settings.results / "train" / model
    each = settings.models[model].facts.parts == "each anatomy"
    folders = [folder / anatomy for anatomy in ANATOMIES] if each else [folder]
    return [part / name for part in folders for name in names] if names else folders


def predicted_from(wildcards):
    """What a model is given besides the tensors, as its family asks: see its section's `facts`."""
    entry = settings.models[wildcards.model]
    given = {}
    if wildcards.model in TRAINED:
        given["train"] = trained(wildcards.model, "model.safetensors", "model.json")
    if entry.boxes_from:
        given["boxes"] = settings.results / "predict" / entry.boxes_from
    if entry.facts.knows_truth:
        given["correspond"] = expand("<results>/correspond/{anatomy}.npz", anatomy=ANATOMIES)
    return given


def measured(models, *kinds):
    """Tables of models: those of some kinds, or all, as far as what a model gives makes them."""
    return [
        f"<results>/evaluate/{name}/{kind}.csv"
        for name in models
        for kind in settings.models[name].facts.tables
        if kind in kinds or not kinds
    ]


def predictions_of(model):
    """Prediction files of one model, one for each predicted subject; none of no model."""
    if model is None:
        return []
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


def shapeworks_project(members):
    """Input function: the project that backend `project` takes particles from; none for others."""

    def found(wildcards):
        if settings.correspond.backend != "project":
            return []
        (anatomy,) = members  # as the configuration demands
        path = settings.correspond.project.of(anatomy)
        if not path.is_file():
            raise SystemExit(
                f"correspond.project.file: {path} does not exist, expected the ShapeWorks project of"
                f" {anatomy} (README, Shape models from ShapeWorks)"
            )
        return path

    return found


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
    """Tables of all exported batches."""
    names = batch_names(settings.jobs.tensors_subjects)
    return expand("<results>/tensors/batches/{batch}.tsv", batch=names)


def tensors_files(wildcards):
    """Exported files of all subjects, whose hashes the batches' tables hold."""
    folder = settings.results / "tensors" / "subjects"
    return [folder / f"{subject}.safetensors" for subject in cohort_subjects()]
