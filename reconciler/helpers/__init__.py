"""What every room uses: times, words, redacting, files written whole, JSON that carries its checksum.

Imports only from `specs` and `providers`. Read `atomic_files.py` first.
"""
