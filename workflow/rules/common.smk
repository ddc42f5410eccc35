"""What all rules share: a stage's config as parameter, the cohort's subjects, the environment."""

import json
import logging
import os
import shlex
from pathlib import Path

from snakemake.logging import logger
from snakemake.settings.types import DeploymentMethod

from massm.config.dataset import SurveyConfig
from massm.config.folding import fold_config
from massm.config.models.family import NetworkConfig
from massm.config.models.naming import ModelNames
from massm.io.fingerprint import fingerprint

ANATOMIES = list(settings.anatomies)
MODELS = list(settings.models)
ENTRIES = settings.entries  # what each predicts by: of a variant, the section of its family
# A variant has a network, and is not trained: it has the weights of another entry.
NETWORKS = [name for name in MODELS if isinstance(ENTRIES[name], NetworkConfig)]
TRAINED = [name for name in NETWORKS if settings.models[name].weights_of is None]
CARRIED = [name for name in MODELS if settings.models[name].carried]
NAMES = ModelNames.of(ENTRIES, settings.evaluate.reference_model, settings.variants)
INTERVALS = list(settings.intervals_of)
# Coverage is measured of test subjects alone, which neither models nor radii have seen.
COVERED = INTERVALS if "test" in settings.evaluate.splits else []
COVERAGE = ["<results>/evaluate/coverage.csv"] if COVERED else []
SURE = set(CARRIED) <= set(INTERVALS)  # each model folder has intervals, and names their file
TRUST = list(settings.trust_of)
TOLD = set(CARRIED) <= set(TRUST)  # the same of tables of what is usual
FOLDS = [str(number) for number in settings.crossval.numbers]
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
    if model in NETWORKS:
        return settings.predict.threads or CORES
    return settings.correspond.threads if ENTRIES[model].surfaces_from else 1


def predicting_gpus(model):
    """GPUs of a model's prediction: its network's, or the particle engine's that fits surfaces."""
    if model in NETWORKS:
        return gpus(settings.predict)
    fits = ENTRIES[model].surfaces_from is not None
    return int(fits and settings.correspond.device.startswith("cuda"))


def learned_from(wildcards):
    """What the weights of a model depend on: a parameter that is only compared."""
    training, entry = settings.training(wildcards.model), ENTRIES[wildcards.model]
    return json.dumps([training.result_relevant(), entry.learned()])


def trained(model, *names):
    """Folders of a model's networks, one of all anatomies or one of each, or files in them."""
    if model not in NETWORKS:
        return []
    folder = settings.results / "train" / (settings.models[model].weights_of or model)
    each = ENTRIES[model].facts.parts == "each anatomy"
    folders = [folder / anatomy for anatomy in ANATOMIES] if each else [folder]
    return [part / name for part in folders for name in names] if names else folders


def predicted_from(wildcards):
    """What a model is given besides the tensors, as its family asks: see its section's `facts`."""
    entry = ENTRIES[wildcards.model]
    given = {}
    if wildcards.model in NETWORKS:
        given["train"] = trained(wildcards.model, "model.safetensors", "model.json")
    if entry.boxes_from:
        given["boxes"] = settings.results / "predict" / entry.boxes_from
    if entry.surfaces_from:
        given |= fitted_from(entry.surfaces_from)
    if entry.facts.knows_truth:
        given["correspond"] = expand("<results>/correspond/{anatomy}.npz", anatomy=ANATOMIES)
    return given


def fitted_from(source):
    """The surfaces of a model, and what a run fits new shapes to."""
    given = {
        "boxes": settings.results / "predict" / source,
        "surfaces": settings.results / "reconstruct" / f"{source}.tsv",
        "made": settings.results / "reconstruct" / source,
        "groomed": groom_batches(None),  # tables that hold the hash of the reference's surface
        "alignments": expand("<results>/groom/alignment/{anatomy}.json", anatomy=ANATOMIES),
        "frozen": expand("<results>/correspond/{anatomy}/model.npz", anatomy=ANATOMIES),
    }
    if settings.correspond.backend == "shapeworks":  # registers nothing: the template does instead
        given["templates"] = expand("<results>/template/{anatomy}.vtp", anatomy=ANATOMIES)
        given["records"] = expand("<results>/template/{anatomy}.json", anatomy=ANATOMIES)
        given["medoids"] = expand("<results>/correspond/{anatomy}.npz", anatomy=ANATOMIES)
    return given


def fitting_options(model, surfaces):
    """How stage predict fits surfaces, for a model that reads them."""
    if not ENTRIES[model].surfaces_from:
        return []
    return [
        *("--surfaces", surfaces, "--results", settings.results),
        *("--alignment", settings.groom.alignment.model_dump_json()),
        *("--engine", settings.correspond.model_dump_json()),
    ]


def predicted_by(model):
    """What a model's predictions depend on: a parameter that is only compared."""
    parts = [settings.predict.result_relevant(), ENTRIES[model].result_relevant()]
    if ENTRIES[model].surfaces_from:
        parts += [settings.groom.alignment.result_relevant(), settings.correspond.result_relevant()]
    return json.dumps(parts)


def calibrated_by(model, calibration):
    """Who decides on a model's radii or lights, in words, and what else these subjects decided."""
    if calibration == "crossval":
        made = settings.crossval.folds_made
        told = "training and validation subjects" + (f" of {made} of the folds" if made else "")
        return (
            f"{told}, each predicted out of its fold of {settings.crossval.folds};"
            " they decided nothing in the models that predicted them"
        )
    return validated_by(model)


def validated_by(model):
    """The validation split, in words, and what else it decided in a model."""
    asked = {model, ENTRIES[model].boxes_from, ENTRIES[model].surfaces_from}
    chosen = "thresholds of presence"
    if any(settings.training(name).select == "best" for name in asked if name in NETWORKS):
        chosen += " and the epoch of the weights"
    return f"validation split, which also chose {chosen}"


def intervals_of(model):
    """The radii of a model's particles; none of one that gets none."""
    return [settings.results / "intervals" / model / "intervals.npz"] if model in INTERVALS else []


def trust_of(model):
    """What is usual of a model's predictions; none of one that gets none."""
    return [settings.results / "trust" / model / "trust.npz"] if model in TRUST else []


def judged_by(model):
    """Predictions of subjects that a model did not learn from, which say what is usual."""
    if settings.trust.calibration == "crossval":
        return in_folds("out_of_fold.tsv")
    return settings.results / "predict" / model


def residuals_of(model, whose):
    """How far a model's particles lie from true surfaces: of a split, or out of fold."""
    return settings.results / "intervals" / model / f"{whose}.npz"


def measured(models, *kinds):
    """Tables of models: those of some kinds, or all, as far as what a model gives makes them."""
    return [
        f"<results>/evaluate/{name}/{kind}.csv"
        for name in models
        for kind in ENTRIES[name].facts.tables
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


def asked_predictions(model):
    """Prediction files of the model whose boxes or surfaces a model reads; none if it reads none."""
    return [path for name in ENTRIES[model].asked.values() for path in predictions_of(name)]


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
                f" {anatomy} (docs/shapeworks.md)"
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


def learned_files(wildcards):
    """What a model is trained on besides the tensors of the subjects: label maps, mirrored shapes."""
    given = {}
    if settings.models[wildcards.model].facts.trains_on == "labels":
        given["labels"] = label_batches(wildcards)
    if settings.training(wildcards.model).augment.mirror_probability > 0:
        given["mirrored"] = mirrored_batches(wildcards)
    return given


def label_batches(wildcards):
    """Tables of all batches of label maps."""
    names = range(-(-len(learning_subjects()) // settings.jobs.tensors_subjects))
    return expand("<results>/tensors/label_batches/{batch:04d}.tsv", batch=names)


def mirrored_batches(wildcards):
    """Tables of all batches of training subjects in a mirror."""
    names = range(-(-len(training_subjects()) // settings.jobs.tensors_subjects))
    return expand("<results>/tensors/mirrored_batches/{batch:04d}.tsv", batch=names)


def learning_subjects(batch=None):
    """Names of the subjects that networks learn from, or of those in one batch."""
    return _batch_of(cohort_subjects("train", "validation"), batch)


def training_subjects(batch=None):
    """Names of the training subjects, or of those in one batch."""
    return _batch_of(cohort_subjects("train"), batch)


def _batch_of(names, batch):
    size = settings.jobs.tensors_subjects
    return names if batch is None else names[int(batch) * size :][:size]


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


def folded(fold):
    """What a fold's run depends on, besides the cohort: a parameter that is only compared."""
    values = fold_config(settings, int(fold))
    return json.dumps(
        {name: values[name] for name in values if name not in ("report", "intervals", "trust")}
    )


def groomed_whole(wildcards):
    """Tables of the whole run's groomed batches, for the run of a fold; older ones may lie there."""
    whole = settings.fold.of
    used = table_of(str(whole / "dataset" / "subjects.tsv"))[lambda rows: rows.status == "used"]
    count = -(-len(used) // settings.jobs.groom_subjects)
    return [whole / "groom" / "index" / f"{number:04d}.tsv" for number in range(count)]


def in_folds(path):
    """A file of the results of each fold."""
    return [settings.results / "crossval" / f"fold_{fold}" / path for fold in FOLDS]


def audit_batches(wildcards):
    """Measures of the masks of all batches."""
    names = batch_names(settings.jobs.audit_subjects)
    return expand("<results>/audit/measures/{batch}.npz", batch=names)


def measured_predictions():
    """Tables of what the reference model predicts without having learned it, as far as there are."""
    model = settings.evaluate.reference_model
    folders = [settings.results / name / model for name in ("evaluate", "crossval")]
    return [path / "local.csv" for path in folders if (path / "local.csv").is_file()]


def predicted_surfaces():
    """Folders of the reference model's surfaces, as far as there are; out of fold first."""
    folders = [*in_folds("reconstruct"), settings.results / "reconstruct"]
    made = [folder / settings.evaluate.reference_model for folder in folders]
    return [folder for folder in made if folder.is_dir()]
