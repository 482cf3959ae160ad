"""Notices on their way to a person. The programs are small scripts."""
