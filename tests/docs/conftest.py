"""The modules that build the site, which stand beside the documents and in no package."""

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def hook():
    """Load a module of docs/hooks, by its name."""
    folder = str(ROOT / "docs" / "hooks")

    def load(name):
        spec = importlib.util.spec_from_file_location(name, f"{folder}/{name}.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        return module

    sys.path.insert(0, folder)
    yield load
    sys.path.remove(folder)
