"""What the programs add to a launch, and how their screens are read: pure, from captures of the real ones."""
