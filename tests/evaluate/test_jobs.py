import pickle

from massm.evaluate.jobs import SubjectJob, collect_rows
from massm.evaluate.rows import rows_of
from massm.evaluate.truth import read_subjects
from tests.evaluate.synthetic import CONFIG, truth


def test_a_job_can_go_to_another_process(evaluated):
    (subject, *_) = read_subjects(**truth(evaluated), splits=("test",))
    paths = [evaluated / name for name in ("predict", "reconstruct", "reference")]
    job = pickle.loads(pickle.dumps(SubjectJob("massm", subject, *paths, CONFIG)))
    assert job.subject.name == subject.name
    assert [one.name for one in job.subject.anatomies] == ["spleen", "kidney_left"]


def test_progress_says_done_of_total_and_the_mean(evaluated, caplog):
    subjects = read_subjects(**truth(evaluated), splits=("test",))[:2]
    jobs = [SubjectJob("massm", subject, *[evaluated] * 3, CONFIG) for subject in subjects]

    def measure(job):
        values = {"surface_mean": 2.0, "dice": 0.9}
        return rows_of(job.model, "local", job.subject.name, "spleen", "test", values)

    with caplog.at_level("INFO"):
        rows = collect_rows(measure, jobs, processes=1, headline="surface_mean")
    assert len(rows) == 4
    assert "2/2 0 s" in caplog.text
    assert "surface_mean 2.00, mean of 1" in caplog.text
