"""What `mosaic doctor --contract` does: each installed program on a stage of its own, and what it proves there."""
