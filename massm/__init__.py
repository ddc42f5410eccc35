"""Statistical shape models of many anatomies, straight from CT."""

__version__ = "0.1.0"
