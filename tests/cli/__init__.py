"""The entry point, output, and what a terminal shows meanwhile."""
