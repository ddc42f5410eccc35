"""Pure mathematics on arrays: no files, no configuration, no logging."""
