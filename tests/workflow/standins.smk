"""The whole workflow with stand-ins for its jobs: what runs again, and after what, in seconds.

A stand-in's output changes if, and only if, the content of what it reads does.
"""

import hashlib
import inspect

from massm.dataset.layouts import LAYOUTS
from massm.io.cohort import AnatomyRecord, SubjectRecord, write_cohort, write_subject_table


include: "Snakefile"


for each in workflow.rules:
    each._benchmark = None  # of a process, and there is none


def content(path):
    """Hash of a file's or folder's content; of what is missing, the same always."""
    files = sorted(Path(path).rglob("*")) if Path(path).is_dir() else [Path(path)]
    texts = [file.read_bytes() for file in files if file.is_file()]
    return hashlib.sha256(b"".join(texts)).hexdigest()


def survey(subjects, cohort):
    """Tables as the survey writes them, of files that need not be images."""
    found = LAYOUTS[settings.dataset.layout](settings.dataset.root, ANATOMIES)
    splits = {one.name: one.split or "train" for one in found}
    rows = [SubjectRecord(one.name, splits[one.name], "used", "", "", one.image) for one in found]
    write_subject_table(rows, subjects)
    anatomies = [
        AnatomyRecord(
            *(one.name, each.name, splits[one.name], "used" if each.mask else "absent"),
            mask=each.mask,
            source="mask",
        )
        for one in found
        for each in one.anatomies
    ]
    write_cohort(anatomies, cohort)


def read_beside(params):
    """What a batch reads besides its inputs: masks and images."""
    names = params.get("subjects", [])
    cohort = read_table(str(settings.results / "dataset" / "cohort.tsv"))
    subjects = read_table(str(settings.results / "dataset" / "subjects.tsv"))
    masks = cohort["mask"][cohort.subject.isin(names)]
    images = subjects.image[subjects.subject.isin(names)]
    return [*masks, *images] if "folder" in params.keys() else list(masks)


def shell(command, **_):
    """Take the place of every job's command."""
    job = inspect.currentframe().f_back.f_locals
    output, params = job["output"], job["params"]
    with (settings.results / "asked.txt").open("a") as asked:
        asked.write(f"{job['rule']} {job['threads']} {job['resources'].mem_mb}\n")
    if job["rule"] == "dataset_survey":
        return survey(output.subjects, output.cohort)
    batch = "batch" in job["wildcards"].keys()
    read = read_beside(params) if batch else list(job["input"])
    found = [content(path) for path in read]
    text = hashlib.sha256(repr((job["rule"], found)).encode()).hexdigest()
    for path in output:
        if Path(path).suffix:
            Path(path).write_text(text)
        else:
            Path(path).mkdir(exist_ok=True)
            (Path(path) / "content").write_text(text)
