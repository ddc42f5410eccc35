"""Endings of the image files that are read: known without loading the libraries that read them."""

IMAGES = (".nii.gz", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd")
