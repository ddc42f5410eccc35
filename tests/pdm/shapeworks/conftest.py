"""Settings of the backend, with the labelled FAKE as program."""

import sys

import pytest

from massm.config.correspond import CorrespondConfig
from tests.pdm.shapeworks.fake import FAKE


@pytest.fixture
def configured(settings, tmp_path):
    """Settings whose program is the fake, as ``configured(version=..., failure=...)``."""

    def configure(*, version="6.6.1", failure="", stride=7, **changes) -> CorrespondConfig:
        program = tmp_path / "shapeworks"
        values = {"python": sys.executable, "version": version, "failure": failure}
        program.write_text(FAKE.format(stride=stride, **values))
        program.chmod(0o755)
        shapeworks = settings.shapeworks.model_copy(update={"program": str(program), **changes})
        return settings.model_copy(update={"backend": "shapeworks", "shapeworks": shapeworks})

    return configure
