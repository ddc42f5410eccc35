"""Parts that two models or more are built from."""
