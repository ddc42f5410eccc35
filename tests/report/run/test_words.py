import numpy as np

from massm.report.run.words import duration, interval, number, p_value, percents


def test_numbers_read_well():
    assert number(1.234, "mm") == "1.23"
    assert number(0.91234, "1") == "0.912"
    assert (p_value(0.0002), p_value(0.03), p_value(0.5)) == ("p < 0.001", "p = 0.03", "p = 0.50")


def test_times_read_well():
    assert (duration(2.5), duration(0.5), duration(0.001)) == ("2.5 h", "30.0 min", "3.6 s")


def test_what_has_no_interval_has_none_in_words():
    assert interval(np.nan, 1.0, "mm") == percents(np.nan, 0.5) == ""
    assert percents(-0.0, 0.5) == "0 \N{EN DASH} 50 %"
