import pytest

from massm.report.run.timing import stage_costs


@pytest.fixture
def benchmarks(tmp_path):
    head = "s\th:m:s\tmax_rss\tcpu_time\n"
    (tmp_path / "groom").mkdir()
    (tmp_path / "groom" / "0000.tsv").write_text(head + "1800\t0:30:00\t512\t900\n")
    (tmp_path / "groom" / "0001.tsv").write_text(head + "3600\t1:00:00\t2048\t1800\n")
    (tmp_path / "train_massm.tsv").write_text(head + "7200\t2:00:00\t1024\t7000\n")
    (tmp_path / "dataset.tsv").write_text(head + "0.3\t0:00:00\t-\t-\n")
    return tmp_path


def test_jobs_are_summed_by_stage_in_the_order_of_the_stages(benchmarks):
    table = stage_costs(benchmarks).set_index("stage")
    assert list(table.index) == ["dataset", "groom", "train"]
    groom = table.loc["groom"]
    assert (groom["jobs"], groom["hours"], groom["longest_hours"]) == (2, 1.5, 1)
    assert (groom["cpu_hours"], groom["memory_gib"]) == (0.75, 2)


def test_a_job_too_short_to_be_seen_counts_as_nothing(benchmarks):
    assert stage_costs(benchmarks).set_index("stage").loc["dataset", "memory_gib"] == 0


def test_a_run_without_benchmarks_has_an_empty_table(tmp_path):
    assert stage_costs(tmp_path / "none").empty
