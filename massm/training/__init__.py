"""The training loop of every model of the table."""
