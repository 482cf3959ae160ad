"""`mosaic doctor --contract`: its judgements, its stage, and what is left of it."""
