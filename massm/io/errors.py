"""What goes wrong with input."""


class DataError(Exception):
    """A file or a cohort that cannot be used as it is.

    The message names the file, subject or anatomy, what was found, what was expected and what to
    do about it.
    """


class SeveralLabelsError(DataError):
    """Several labels where one anatomy was expected, and nothing said which is wanted.

    A reader cannot know where its caller takes labels from; the caller does, and says so by
    :meth:`asking`.

    Attributes:
        found: The file and its labels.
    """

    def __init__(self, found: str, how: str = "give the anatomy's label") -> None:
        super().__init__(found, how)  # both, so that the error can go from one process to another
        self.found = found

    def __str__(self) -> str:
        """Say what was found and what to do."""
        found, how = self.args
        return f"{found}; {how}, or save the anatomy as a mask of 0 and 1"

    def asking(self, how: str) -> "SeveralLabelsError":
        """Say the same, and how a label is given here."""
        return SeveralLabelsError(self.found, how)


FAILURES = (DataError, ValueError, OSError, RuntimeError, MemoryError)
"""What one input may raise; anything else is a mistake in the program."""
