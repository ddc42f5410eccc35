"""Surfaces to draw: cases, modes, and shapes rebuilt, light enough for a page."""
