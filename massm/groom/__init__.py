"""From masks and meshes to clean closed surfaces in a common pose."""
