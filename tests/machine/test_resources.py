"""Memory and disk as the system tells them."""

from pathlib import Path

from massm.machine.resources import free_disk, memory


def test_memory_is_the_machines_or_its_containers(tmp_path):
    meminfo, limit = tmp_path / "meminfo", tmp_path / "memory.max"
    meminfo.write_text("MemTotal: 8000 kB\nMemFree: 10 kB\nMemAvailable: 5000 kB\n")
    assert memory(meminfo, (limit,)) == (8000 * 1024, 5000 * 1024)
    limit.write_text("max\n")
    assert memory(meminfo, (limit,)).total == 8000 * 1024
    limit.write_text("1024000\n")
    assert memory(meminfo, (limit,)) == (1024000, 1024000)


def test_memory_that_is_not_told_is_not_known(tmp_path):
    assert memory(tmp_path / "none", ()).free is None


def test_the_disk_of_a_folder_that_is_still_to_come_is_known(tmp_path):
    assert free_disk(tmp_path / "a" / "b") > 0
    assert free_disk(Path("/")) > 0
