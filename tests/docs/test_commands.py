"""What the documents tell people to type is there: commands, options, targets, keys."""

import re
import shlex
from pathlib import Path

import pytest
import yaml

from massm.config.loading import ConfigError, load_config, merge, read_yaml

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    path.relative_to(ROOT).as_posix() for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
)
RULES = [ROOT / "Snakefile", *ROOT.glob("workflow/rules/*.smk")]
MADE_UP = {"mine.yaml", "pooled.yaml"}  # a file of the reader's
TAKING = {
    "--config",
    "--configfile",
    "--cores",
    "--profile",
    "-s",
    "--directory",
    "--set-resources",
}


def fences(document, language):
    """Code blocks of a document, with their indentation taken off."""
    text = (ROOT / document).read_text(encoding="utf-8")
    for found in re.finditer(rf"^( *)```{language}\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE):
        yield re.sub(rf"^{found[1]}", "", found[2], flags=re.MULTILINE)


def commands():
    """Every command of a shell block, and those that stand in a sentence, as words."""
    for document in DOCUMENTS:
        text = (ROOT / document).read_text(encoding="utf-8")
        lines = [line for block in fences(document, "bash") for line in block.splitlines()]
        prose = re.sub(r"^ *```.*?^ *```", "", text, flags=re.DOTALL | re.MULTILINE)
        lines += re.findall(r"`((?:massm|snakemake|make|python) [^`\n]+)`", prose)
        for line in lines:
            for part in re.split(r"&&|;(?=\s)", line):
                words = shlex.split(part, comments=True)
                if words:
                    yield pytest.param(words, id=f"{document}: {' '.join(words)}")


ALL = list(commands())


def of(*programs):
    return [one for one in ALL if one.values[0][0] in programs]


@pytest.fixture(scope="module")
def options(hook):
    """Options of each command of massm."""
    from massm.cli.app import app

    pages = hook("command_pages")
    own = {"--version", "--help", "-h", "--install-completion"}
    return {None: own} | {
        command.callback.__name__: own
        | {word for p in pages._parameters(command.callback) for word in p.words}
        for command in app.registered_commands
    }


def test_commands_were_found():
    assert len(of("massm")) > 10
    assert len(of("snakemake")) > 15
    assert len(of("make")) > 10
    assert len(of("python")) > 10


@pytest.mark.parametrize("words", of("massm"))
def test_a_command_of_massm_has_the_options_it_is_given(options, words):
    name = None if words[1].startswith("-") else words[1]
    assert name in options
    given = {word.split("=")[0] for word in words[1:] if word.startswith("-")}
    assert given <= options[name]


@pytest.mark.parametrize("words", of("make"))
def test_a_target_of_make_is_there(words):
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    for word in words[1:]:
        if "=" not in word:
            assert re.search(rf"^{word}:", text, re.MULTILINE), word


@pytest.mark.parametrize("words", of("python"))
def test_a_program_of_python_is_there(words):
    if words[1] == "-m":
        file = ROOT.joinpath(*words[2].split("."))
        assert file.with_suffix(".py").is_file() or file.is_dir() or words[2] in {"pytest", "build"}
    elif not words[1].startswith("-"):
        assert (ROOT / words[1]).is_file()


@pytest.mark.parametrize("words", of("snakemake"))
def test_targets_and_files_of_snakemake_are_there(words):
    text = "\n".join(path.read_text(encoding="utf-8") for path in RULES)
    rules = set(re.findall(r"^ *(?:use )?rule (\w+)", text, re.MULTILINE)) | {"all"}
    models = {f"{rule}_{name}" for rule in ("train", "predict") for name in ("massm", "truth")}
    option = ""
    for word in words[1:]:
        if word.startswith("-"):
            option = word
        elif word.endswith(".yaml") and word not in MADE_UP:
            assert (ROOT / word).is_file(), word
        elif re.fullmatch(r"[a-z_]+", word) and option not in TAKING - {"--cores"}:
            assert word in rules | models, word
        elif word == "all":
            assert "rule all" in text


def faults(changes):
    """What is wrong with config.yaml and differences laid over it, as a text."""
    try:
        load_config(merge(read_yaml(ROOT / "config.yaml"), changes))
    except ConfigError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("document", DOCUMENTS)
def test_keys_of_every_configuration_shown_are_known(document):
    for block in fences(document, "yaml"):
        found = faults(yaml.safe_load(block))  # a block need not be a whole run's
        assert not re.search("unknown key|missing; config.yaml", found), block


def test_an_unknown_key_would_be_seen():
    assert "unknown key" in faults({"correspond": {"particle": 3}})
