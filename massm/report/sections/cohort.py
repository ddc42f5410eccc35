"""Who was in the study, what grooming did, and what was left out."""

from massm.io.particles import load_set
from massm.report.run.cohort import exclusions, groom_rows, split_counts
from massm.report.run.sources import RunTables
from massm.report.sections.section import Fragment, Material, PageSection
from massm.report.sections.templates import fill


def render(material: Material) -> Fragment:
    """Make the section."""
    run = material.run
    html = fill(
        "sections/cohort",
        counts=split_counts(run.subjects, run.cohort, run.anatomies),
        groom=groom_rows(run.groomed, run.anatomies),
        exclusions=exclusions(
            run.subjects,
            run.cohort,
            run.groomed,
            particles=_with_particles(run),
            unaligned=run.unaligned,
        ),
    )
    return Fragment(html)


def _with_particles(run: RunTables) -> set[tuple[str, str]]:
    return {
        (subject, anatomy)
        for anatomy in run.anatomies
        for subject in load_set(run.results / "correspond" / f"{anatomy}.npz").subjects
    }


SECTION = PageSection("cohort", "Cohort", "Cohort", render)
