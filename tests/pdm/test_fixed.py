import numpy as np
import pytest

from massm.pdm.fixed import limit_of


def test_the_limit_is_four_deviations_above_the_mean():
    assert limit_of(np.array([1.0, 3.0])) == pytest.approx(2 + 4)
