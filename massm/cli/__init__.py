"""The command ``massm``: one module for each of its commands, thin over ``massm.inference``.

What a command needs beyond its own options is imported when it runs, so that help and errors of
usage come at once.
"""
