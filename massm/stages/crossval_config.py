"""Write the configuration of the run that leaves a fold out."""

import json
from pathlib import Path

from massm.config.folding import fold_config
from massm.config.loading import Config
from massm.io.atomic import replacing
from massm.stages._command import stage_main


def run(config: Config, *, number: int, names: list[str], output: Path) -> None:
    """Write it as JSON, which Snakemake reads as a ``--configfile``.

    Args:
        config: Of the whole run.
        number: The fold, from 1.
        names: Entries of models in the files of the configuration, also those taken out.
        output: File to write.

    Raises:
        ValueError: If there is no such fold.
    """
    values = fold_config(config, number, names)
    output.parent.mkdir(parents=True, exist_ok=True)
    with replacing(output) as temporary:
        temporary.write_text(json.dumps(values, indent=1), encoding="utf-8")


if __name__ == "__main__":
    stage_main(run)
