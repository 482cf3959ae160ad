"""Contracts of classes as an operator has them: own ones over the shipped, and `mosaic fleet persona`."""
