"""Make the synthetic cohort: chest CTs, masks and their true correspondence."""

import logging
from pathlib import Path

from massm.config.phantom import PhantomConfig
from massm.dataset.phantom.cohort import write_cohort
from massm.io.documents import write_json
from massm.stages._command import stage_main

log = logging.getLogger(__name__)


def run(config: PhantomConfig, *, done: Path, threads: int = 1) -> None:
    """Write the cohort below ``phantom.root`` in TotalSegmentator v1's layout.

    Args:
        config: Section ``phantom``.
        done: Marker file, written last: what the cohort was made from.
        threads: Number of processes.
    """
    table = write_cohort(config, threads)
    write_json(config.model_dump(mode="json"), done)
    log.info("%d subjects below %s", len(table), config.root)


if __name__ == "__main__":
    stage_main(run)
