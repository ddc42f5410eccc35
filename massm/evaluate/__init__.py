"""Measures of predictions against the truth, and statistics over them.

Every model is measured by the same code, from its prediction file and its surfaces; no model is
imported here.
"""
