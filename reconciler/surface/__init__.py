"""The command lines as data, and what is made of that: completion scripts and manual pages."""
