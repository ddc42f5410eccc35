"""Jobs in processes: all of them done, errors passed on."""

import math

import pytest

from massm.dataset.parallel import run_parallel


@pytest.mark.parametrize("workers", [1, 2])
def test_every_job_is_done_once(workers):
    assert sorted(run_parallel(math.sqrt, [1.0, 4.0, 9.0], workers)) == [1, 2, 3]


def test_an_error_of_a_job_is_raised():
    with pytest.raises(ValueError, match="math domain error|nonnegative"):
        list(run_parallel(math.sqrt, [1.0, -1.0, 4.0], 2))


def test_no_jobs_give_no_results():
    assert list(run_parallel(math.sqrt, [], 2)) == []
