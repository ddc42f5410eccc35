"""A new shape of an anatomy, aligned to a run's population and placed in its frozen shape model."""
