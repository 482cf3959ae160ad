"""The two command lines, one file per command."""
