"""The layouts that a cohort may lie in: the one table to add another to."""

from massm.dataset import table, totalsegmentator
from massm.dataset.cohort import Layout

LAYOUTS: dict[str, Layout] = {
    "totalsegmentator": totalsegmentator.find_subjects,
    "table": table.find_subjects,
}
