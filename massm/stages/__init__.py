"""One module per workflow rule: read files, call one room, write files."""
