"""Choose radii within which the true surface lies with a stated coverage."""

import logging
from pathlib import Path

from massm.config.intervals import LevelConfig
from massm.evaluate.calibration import calibrate
from massm.io.intervals import write_intervals
from massm.io.residuals import read_residuals
from massm.stages._command import stage_main

log = logging.getLogger(__name__)


def run(config: LevelConfig, *, residuals: Path, calibration: str, intervals: Path) -> None:
    """Write spreads and factors of every anatomy, and why there are none.

    Args:
        config: The coverage.
        residuals: ``intervals/{model}/{validation,crossval}.npz``.
        calibration: In words, whose residuals these are.
        intervals: File to write.
    """
    found = calibrate(read_residuals(residuals), config.level, calibration)
    write_intervals(found, intervals)
    for name, one in found.anatomies.items():
        share, whole = one.share_mm, one.whole_mm
        log.info(
            "%s, %d subjects: %s of the particles within %s, all within %s%s",
            *(name, one.subjects, f"{100 * found.level:g} %"),
            *("-" if radius is None else f"{radius.mean():.2f} mm" for radius in (share, whole)),
            f" ({one.reason})" if one.reason else "",
        )


if __name__ == "__main__":
    stage_main(run)
