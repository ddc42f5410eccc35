"""Figures: tables and surfaces in, a figure or the data of a viewer out."""
