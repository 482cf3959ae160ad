"""`mosaic fleet north-star`, and the pure parts that it is made of."""
