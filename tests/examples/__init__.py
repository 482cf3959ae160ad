"""Every fleet in `examples/fleets/`, on a real host."""
