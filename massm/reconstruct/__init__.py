"""Closed surfaces from what a model predicts."""
