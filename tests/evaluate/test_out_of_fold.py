"""Tables of folds as one."""

import pandas as pd

from massm.evaluate.out_of_fold import OUT_OF_FOLD, joined


def test_rows_keep_their_order_and_get_the_number_of_their_fold():
    first = pd.DataFrame({"subject": ["a", "b"], "split": ["test"] * 2, "value": [1.0, 2.0]})
    second = pd.DataFrame({"subject": ["c"], "split": ["test"], "value": [3.0]})
    table = joined([first, second])
    assert table.subject.tolist() == ["a", "b", "c"]
    assert table.fold.tolist() == [1, 1, 2]
    assert set(table.split) == {OUT_OF_FOLD}
