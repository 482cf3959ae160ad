"""The tables by which Mosaic decides: each row has a direct test. Fast: no host, no simulator."""
