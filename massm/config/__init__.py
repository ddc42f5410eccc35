"""The configuration: one documented section for each stage.

Each module holds the section of one stage; :mod:`massm.config.loading` puts them together and
checks a whole configuration.
"""
