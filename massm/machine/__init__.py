"""What the computer offers: cores, threads, processes."""
