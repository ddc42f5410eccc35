"""Make the CT of one more synthetic subject, for a trained model to see for the first time."""

from pathlib import Path

from massm.config.phantom import PhantomConfig
from massm.dataset.phantom.cohort import write_scan
from massm.stages._command import stage_main


def run(config: PhantomConfig, *, output: Path) -> None:
    """Write the CT of a subject that is no part of the cohort.

    Args:
        config: Section ``phantom``.
        output: The image.
    """
    write_scan(config, output)


if __name__ == "__main__":
    stage_main(run)
