"""Particle-based shape models: correspondence over a population of surfaces."""
