"""Evidence on one scale, and its sum."""

import numpy as np
import pandas as pd

from massm.audit.score import scores, weighed


def table(*columns, names=("place", "size")):
    index = pd.MultiIndex.from_tuples([(f"s{n}", "liver") for n in range(len(columns[0]))])
    return pd.DataFrame(dict(zip(names, columns, strict=False)), index=index)


def test_the_median_counts_nothing_and_what_a_fifth_exceeds_counts_one():
    raw = table(np.arange(11.0))
    np.testing.assert_allclose(weighed(raw)["place"], (np.arange(11.0) - 5) / 3)


def test_anatomies_have_scales_of_their_own():
    raw = pd.concat([table(np.arange(11.0)), table(100 * np.arange(11.0))])
    raw.index = pd.MultiIndex.from_tuples([(f"s{n}", "ab"[n > 10]) for n in range(22)])
    scaled = weighed(raw)["place"].to_numpy()
    np.testing.assert_allclose(scaled[:11], scaled[11:])


def test_evidence_counts_from_a_half_to_six_and_nothing_if_it_is_missing():
    weights = table([0.4, 1.5, 50.0, np.nan], [0.0, 2.5, 0.0, -3.0])
    np.testing.assert_allclose(scores(weights), [0, 3, 6, 0])
