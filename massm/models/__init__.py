"""The families of models; a network and its objective stand in a package each.

A new family is a package here and a line in ``massm.models.families.FAMILIES``, with its section in
``massm.config.models``.
"""
