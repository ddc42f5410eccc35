"""Cohorts: finding subjects, checking images and masks, drawing the split, the phantom."""
