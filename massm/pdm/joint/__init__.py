"""Several anatomies in one shape space, some of them missing in some subjects."""
