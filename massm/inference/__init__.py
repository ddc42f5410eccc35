"""From a scan to shapes with nothing but a model folder: no results of a run, no cohort."""
