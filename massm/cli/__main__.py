"""``python -m massm.cli``: the command where its script is not on the path."""

from massm.cli.app import main

main()
