"""What a run holds: its tables, and what people want to read in them."""
