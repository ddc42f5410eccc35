"""Endings of the files that are read: known without loading the libraries that read them."""

IMAGES = (".nii.gz", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd")
MESHES = (".vtp", ".ply", ".stl", ".vtk", ".obj")
"""A mesh may be packed, too: ``.stl.gz``."""
