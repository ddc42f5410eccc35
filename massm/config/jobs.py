"""Section ``jobs``: how the work is cut into jobs."""

from pydantic import Field, PositiveInt

from massm.config._section import Section


class JobsConfig(Section):
    """How many subjects one job carries; no result depends on it.

    Starting Python with torch, vtk and itk takes seconds, so a job carries several subjects.
    """

    groom_subjects: PositiveInt = Field(description="Subjects that one grooming job carries.")
    tensors_subjects: PositiveInt = Field(description="Subjects that one export job carries.")
    audit_subjects: PositiveInt = Field(description="Subjects that one job of the audit carries.")
