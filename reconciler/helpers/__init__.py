"""What every room uses: times, words, redacting, files written whole, JSON that carries its checksum.

Imports `errors`. Read `atomic_files.py` first.
"""
