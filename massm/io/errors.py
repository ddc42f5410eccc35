"""The error for input that cannot be used."""


class DataError(Exception):
    """A file or a cohort that cannot be used as it is.

    The message names the file, subject or anatomy, what was found, what was expected and what to
    do about it.
    """
