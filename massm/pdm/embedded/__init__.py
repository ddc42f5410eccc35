"""The embedded particle engine: entropy-based particles on the surfaces of a population."""
