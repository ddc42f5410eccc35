"""Outputs that appear whole or not at all."""

import errno
import gc
import os
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.figure import Figure
from safetensors.torch import save_file

from benchmarks.same_bytes import differences
from massm.geometry.mesh import Mesh
from massm.geometry.particles import ParticleSet
from massm.geometry.volume import Volume
from massm.io import documents, images, meshes, particles, shapeworks, tables, tensors
from massm.io.atomic import replacing, replacing_folder
from massm.report.figures.gallery import Gallery

SIDE = 96  # random values of this many voxels a side outgrow the small disk below


def write_image(path):
    noise = np.random.default_rng(0).normal(size=(SIDE, SIDE, SIDE))
    images.write_image(Volume(noise, np.ones(3)), path)


def write_mesh(path):
    vertices = np.random.default_rng(0).normal(size=(SIDE**2 * 8, 3))
    meshes.write(Mesh(vertices, np.arange(len(vertices) // 3 * 3).reshape(-1, 3)), path)


def write_set(path):
    points = np.random.default_rng(0).normal(size=(1, SIDE**2 * 8, 3))
    particles.save_set(ParticleSet(("a",), ("train",), points, points, np.eye(4)[None]), path)


def write_text(path):
    particles.write_text(np.random.default_rng(0).normal(size=(SIDE**2 * 4, 3)), path)


def write_tensors(path):
    tensors.save({"image": np.zeros((SIDE, SIDE, SIDE))}, path)


def write_table(path):
    tables.write_table(
        pd.DataFrame({"value": np.random.default_rng(0).normal(size=SIDE**2 * 8)}), path
    )


def write_json(path):
    documents.write_json({"values": list(range(SIDE**2 * 16))}, path)


def write_project(path):
    rows = np.random.default_rng(0).integers(0, 2**60, (SIDE * 50, 4)).astype(str)
    subjects = tuple(dict(zip(("name", "a", "b", "c"), row, strict=True)) for row in rows.tolist())
    shapeworks.write_project(shapeworks.ShapeWorksProject(subjects), path)


def write_figure(path):
    figure = Figure()
    figure.subplots().imshow(np.random.default_rng(0).normal(size=(SIDE * 8, SIDE * 8)))
    Gallery(path.parent, dpi=200).add(figure, path.stem, "noise", "pixels")


def write_weights(path):
    with replacing(path) as temporary:  # as the network's weights are
        save_file({"weight": torch.rand(SIDE, SIDE, SIDE)}, temporary)


def write_checkpoint(path):
    with replacing(path) as temporary:
        torch.save({"weight": torch.rand(SIDE, SIDE, SIDE)}, temporary)


WRITERS = {
    "image.nii.gz": write_image,
    "image.mha": write_image,
    "mesh.vtp": write_mesh,
    "set.npz": write_set,
    "local.particles": write_text,
    "sample.safetensors": write_tensors,
    "table.tsv": write_table,
    "document.json": write_json,
    "project.swproj": write_project,
    "project.xlsx": write_project,
    "figure.svg": write_figure,
    "model.safetensors": write_weights,
    "last.ckpt": write_checkpoint,
}
every_writer = pytest.mark.parametrize(("name", "write"), WRITERS.items(), ids=list(WRITERS))


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 256 KiB; needs the right to mount one."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", folder],
        check=False,
        capture_output=True,
    )
    if mounted.returncode != 0:
        pytest.skip("mounting a small disk needs root")
    yield folder
    gc.collect()  # a writer that failed keeps its file open until then
    subprocess.run(["umount", folder], check=True)


def test_the_new_content_replaces_the_old(tmp_path):
    path = tmp_path / "deep" / "file.txt"
    for text in ("old", "new"):
        with replacing(path) as temporary:
            temporary.write_text(text)
    assert path.read_text(encoding="utf-8") == "new"
    assert list(path.parent.iterdir()) == [path]


def test_the_temporary_name_keeps_the_suffix(tmp_path):
    with replacing(tmp_path / "ct.nii.gz") as temporary:
        assert temporary.name.endswith(".nii.gz")
        assert temporary.parent == tmp_path
        temporary.touch()


@pytest.mark.parametrize("error", [ValueError("wrong"), KeyboardInterrupt()])
def test_an_error_leaves_the_old_content_and_nothing_else(tmp_path, error):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(type(error)), replacing(path) as temporary:  # noqa: PT012
        temporary.write_text("half")
        raise error
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("File cannot be written: No space left on device"),
        OSError(None, "Disk quota exceeded"),
        ValueError("of a library, with its cause"),
    ],
)
def test_every_way_to_say_that_the_disk_is_full_becomes_one(tmp_path, error):
    error.__cause__ = OSError(errno.EDQUOT, "quota")
    expected = pytest.raises(OSError, match="file.txt: No space left")
    with expected as caught, replacing(tmp_path / "file.txt"):
        raise error
    assert caught.value.errno == errno.ENOSPC


def test_what_a_writer_put_beside_is_removed(tmp_path):
    path = tmp_path / "a[1].mhd"
    with pytest.raises(ValueError, match="header"), replacing(path) as temporary:  # noqa: PT012
        temporary.touch()
        temporary.with_suffix(".raw").touch()
        raise ValueError("header")
    assert list(tmp_path.iterdir()) == []


@every_writer
def test_no_space_at_the_last_step_leaves_nothing(tmp_path, monkeypatch, name, write):
    def full(*_args, **_kwargs):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match=f"could not write .*{name}: No space left") as caught:
        write(tmp_path / name)
    assert caught.value.errno == errno.ENOSPC
    assert list(tmp_path.iterdir()) == []


@every_writer
def test_a_disk_that_fills_up_is_an_error_and_leaves_nothing(small_disk, name, write):
    with pytest.raises(OSError, match=f"could not write .*{name}: No space left") as caught:
        write(small_disk / name)
    assert caught.value.errno == errno.ENOSPC
    assert list(small_disk.iterdir()) == []


def test_the_same_content_gives_the_same_bytes_at_any_time(tmp_path):
    for folder in ("one", "other"):
        for name, write in WRITERS.items():
            torch.manual_seed(0)
            (tmp_path / folder).mkdir(exist_ok=True)
            write(tmp_path / folder / name)
        time.sleep(2.1)  # zip files tell times in steps of two seconds
    assert differences(tmp_path / "one", tmp_path / "other") == []
    (tmp_path / "one" / "table.tsv").write_text("changed")
    (tmp_path / "one" / "more.txt").touch()
    (tmp_path / "one" / "logs").mkdir()
    (tmp_path / "one" / "logs" / "a.log").touch()
    found = differences(tmp_path / "one", tmp_path / "other")
    assert found == [f"more.txt: only in {tmp_path / 'one'}", "table.tsv: differs"]


@pytest.mark.parametrize("replace", [True, False])
def test_a_folder_that_came_to_be_meanwhile_is_replaced_only_if_that_is_wanted(tmp_path, replace):
    folder = tmp_path / "case"

    def write():
        with replacing_folder(folder, replace=replace) as beside:
            (beside / "shape.json").write_text("ours", encoding="utf-8")
            folder.mkdir()
            (folder / "shape.json").write_text("theirs", encoding="utf-8")

    if replace:
        write()
    else:
        with pytest.raises(FileExistsError, match="case is there already, made meanwhile; it sta"):
            write()
    found = (folder / "shape.json").read_text(encoding="utf-8")
    assert found == ("ours" if replace else "theirs")
    assert [path.name for path in tmp_path.iterdir()] == ["case"]


def test_who_may_read_a_file_is_what_the_user_set_whatever_writes_it(tmp_path):
    program = (
        "import os, sys; from pathlib import Path; os.umask(0o027);"
        "import numpy; from massm.io import tensors;"
        "tensors.save({'x': numpy.zeros(2)}, Path(sys.argv[1]))"
    )
    path = tmp_path / "x.safetensors"
    subprocess.run([sys.executable, "-c", program, str(path)], check=True)
    assert path.stat().st_mode & 0o777 == 0o640
