"""The model card: what a model is, how good, and what it is not for, in words for its users.

What to tell, and in which order, follows Mitchell et al., "Model cards for model reporting", FAT*
2019: the model, its use, data, evaluation with intervals, limits, how to cite.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from massm.inference.card_intervals import sureness
from massm.inference.card_measures import measured_split, performance, table
from massm.inference.facts import Facts
from massm.io.intervals import Intervals
from massm.models.saved import Description

_WARNING = (
    "**Not a medical device. Not for diagnosis, treatment planning or any other decision about a "
    "patient.** It is for research; whoever uses it checks every result by eye."
)


def card_of(
    description: Description,
    facts: Facts,
    *,
    intervals: Intervals | None,
    versions: Mapping[str, str],
    commit: str | None,
    files: Mapping[str, str],
) -> str:
    """Write the card, Markdown.

    Args:
        description: Of the trained model.
        facts: Of the folder.
        intervals: How far off particles may be; None if that is not known, and nothing is said.
        versions: Of the packages it was made with.
        commit: Of the code; None if not known.
        files: SHA-256 of weights and arrays.
    """
    sections = (
        _summary(description, facts),
        _use(description),
        _training(description, facts),
        _preparation(description),
        performance(description, facts),
        *([] if intervals is None else [sureness(description, intervals)]),
        _limits(facts),
        _contents(facts),
        _origin(facts, versions, commit, files),
    )
    return "\n\n".join("\n".join(section) for section in sections) + "\n"


def _summary(description: Description, facts: Facts) -> Iterator[str]:
    names = ", ".join(description.anatomies)
    yield f"# MASSM model of {_count(len(description.anatomies), 'anatomy', 'anatomies')}"
    yield ""
    yield (
        f"Given a CT, this network finds {names}, and gives each as a closed surface in millimeters"
        f" and as {description.particles} particles: points that mark the same place on the "
        "anatomy of every patient, so that shapes can be compared, averaged and measured."
    )
    yield ""
    yield _WARNING
    trained, measured = facts.subjects.get("train", 0), measured_split(facts)
    yield ""
    if measured:
        count = facts.subjects.get(measured, 0)
        yield (
            f"Trained on {trained} scans{_of_data(facts)}; measured on {count} others ({measured} "
            "split), see below."
        )
    else:
        yield f"Trained on {trained} scans{_of_data(facts)}; how good it is was not measured."


def _use(description: Description) -> Iterator[str]:
    yield "## What it is for, and what not"
    yield ""
    yield "- For research on the shape of these anatomies in CTs like those it was trained on."
    yield (
        "- Not for other modalities (MR, cone-beam CT), for children or other populations that it "
        "has not seen, for anatomies after surgery or with large tumors, or to segment lesions."
    )
    yield (
        "- Not for dose, volume or growth decisions about a single patient: a shape is drawn "
        "towards what most patients look like, and unusual anatomy is where it is most wrong."
    )
    yield (
        f"- Only {', '.join(description.anatomies)}. Whether one of them is there is the network's "
        "judgment, by a score and a threshold learned on the validation split; it errs both ways."
    )


def _training(description: Description, facts: Facts) -> Iterator[str]:
    yield "## What it was trained on"
    yield ""
    data = facts.data
    yield f"Data: {data.get('name', 'not stated by whoever trained it')}."
    if "license" in data:
        yield f"License of the data: {data['license']}."
    if "url" in data:
        yield f"Source: <{data['url']}>."
    counts = ", ".join(f"{count} {split}" for split, count in facts.subjects.items())
    yield f"Scans: {counts}. The network learned from the training split alone."
    yield ""
    names = list(dict.fromkeys(name for row in facts.organs.values() for name in row))
    rows = [
        [anatomy, *(str(facts.organs[anatomy].get(name, 0)) for name in names)]
        for anatomy in description.anatomies
        if anatomy in facts.organs
    ]
    yield from table(["anatomy", *names], rows)
    yield ""
    yield (
        "`absent`: not in the data. `excluded`: there, but cut by the field of view, damaged, or "
        "unlike all others, and so neither trained on nor measured."
    )
    epochs = description.trained.get("epochs")
    if epochs is not None:
        yield ""
        made_by = description.trained.get("commit")  # models of older versions do not say
        code = f", by the code of commit {made_by}" if made_by else ""
        yield f"Training went on for {epochs} epochs{code}."


def _preparation(description: Description) -> Iterator[str]:
    found = description.preprocessing
    yield "## How a scan is prepared"
    yield ""
    yield (
        "By the program itself, from any orientation and voxel size; nothing is to be done before. "
        "Values have to be Hounsfield units."
    )
    yield ""
    for name, value in found.model_dump(mode="json").items():
        yield f"- `{name}`: {_shown(value)}"


def _limits(facts: Facts) -> Iterator[str]:
    yield "## Limits"
    yield ""
    yield (
        "- Errors are largest where anatomies are cut by the field of view, small, or of unusual "
        "shape. Outputs say how much of one lies outside of the scan, and how far its shape "
        "is from those trained on: percentiles near 100 call for a look."
    )
    yield (
        "- Percentiles compare with the training subjects alone, who are patients of the "
        "institutions behind the data, not the population at large."
    )
    yield (
        "- The reference are manual masks; where these are coarse or disagree, so are the errors. "
        "Other scanners, protocols and contrast were not tested unless the data say so."
    )
    smallest = min((row["n"] for row in facts.metrics), default=0)
    if 0 < smallest < 30:
        yield f"- Some rows above rest on {smallest} scans only."


def _contents(facts: Facts) -> Iterator[str]:
    yield "## What is in the folder"
    yield ""
    yield (
        "Weights, shapes and tables of training statistics (`safetensors`: arrays without code), "
        "`model.json` (settings, measures, hashes) and this card. No image, name, date or number of"
        " a patient."
    )
    yield ""
    if facts.template == "mean":
        yield (
            "No file holds the shape of a single subject: the mean shapes stand where the run used "
            "the medoid, the training subject nearest to the average, in the weights too. The "
            "measures above were taken with the medoid; through the same particles, surfaces by the"
            f" mean shape lie {_range(facts.change_mm.values())} mm beside them on average. The "
            "network's particles differ a little as well, most for anatomies whose size varies "
            "most."
        )
    else:
        yield (
            "**The template of each anatomy is the surface of one training subject (the medoid)**, "
            "and the references that new shapes are aligned to are such surfaces. Give the folder "
            "away only if you may give away these shapes; `bundle.template: mean` makes one "
            "without them."
        )
    if facts.precision == "half":
        yield ""
        yield "Weights are stored in half precision and used in single precision."


def _origin(
    facts: Facts, versions: Mapping[str, str], commit: str | None, files: Mapping[str, str]
) -> Iterator[str]:
    yield "## How to cite, and where it comes from"
    yield ""
    if "citation" in facts.data:
        yield f"- The data: {facts.data['citation']}"
    yield (
        "- The method: Ukey et al., 2024 (MASSM); particles by entropy after Cates et al., "
        "2007 (ShapeWorks)."
    )
    yield f"- Code: massm {versions.get('massm', '')}, commit {commit or 'not known'}"
    yield "- Made with " + ", ".join(f"{name} {version}" for name, version in versions.items())
    yield ""
    yield from table(
        ["file", "SHA-256"], [[f"`{name}`", f"`{mark}`"] for name, mark in files.items()]
    )


def _of_data(facts: Facts) -> str:
    return f" of {facts.data['name']}" if "name" in facts.data else ""


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_shown(part)}" for name, part in value.items())
    return "none" if value is None else str(value)


def _range(values: Iterable[float]) -> str:
    found = sorted(values)
    low, high = f"{found[0]:.2f}", f"{found[-1]:.2f}"
    return low if low == high else f"{low} to {high}"
