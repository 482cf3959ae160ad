"""One module per kind of thing on a host, and the host itself."""
