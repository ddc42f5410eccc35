"""Surface formats, from bytes to polygons.

Each reader checks before it takes: counts against the bytes that are there, numbers while they are
read. Nothing that a damaged file says can end the process, take memory that the file does not
fill, or change the surface without a word. Libraries at hand do not do that: vtk's readers of PLY
and legacy files end the process, trimesh takes numbers up to the first that it cannot read and
leaves the rest.
"""
