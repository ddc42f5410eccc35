"""MASSM: detection, local and world particles of many anatomies from one CT."""
