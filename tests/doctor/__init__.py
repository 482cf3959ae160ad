"""`mosaic doctor`: its judgements one by one, and on real hosts."""
