"""Graphs and organisation charts, as text and as SVG.

Pure. Imports `helpers`. Read `layers.py` first.
"""
