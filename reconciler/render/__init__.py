"""Text for people, from the values of a run. Pure: no colour by itself, nothing cut, nothing that needs Unicode."""
