"""Where the files of surfaces and images lie."""

from pathlib import Path

from massm.report.run.sources import RunTables, groomed_surfaces


class Surfaces:
    """Finds the files of true and predicted surfaces and of images."""

    def __init__(self, run: RunTables, model: str) -> None:
        """Remember where things are.

        Args:
            run: The run's tables.
            model: Whose predictions are shown.
        """
        self._true = groomed_surfaces(run)
        self._images = {str(row.subject): str(row.image) for row in run.subjects.itertuples()}
        self._predicted = run.results / "reconstruct" / model

    def true(self, subject: str, anatomy: str) -> Path | None:
        """Return the groomed segmentation's surface."""
        return self._true.get((subject, anatomy))

    def measured(self, subject: str, anatomy: str) -> Path:
        """Return the groomed segmentation's surface of what was measured.

        Raises:
            ValueError: If there is none.
        """
        path = self.true(subject, anatomy)
        if path is None:
            raise ValueError(
                f"{subject}, {anatomy}: measured against a segmentation that was not groomed; run "
                "evaluate again"
            )
        return path

    def predicted(self, subject: str, anatomy: str) -> Path:
        """Return the predicted surface; it is there only if the anatomy was found."""
        return self._predicted / subject / f"{anatomy}.vtp"

    def image(self, subject: str) -> Path | None:
        """Return the subject's CT; None in a cohort of meshes."""
        image = self._images.get(subject, "")
        return Path(image) if image else None
