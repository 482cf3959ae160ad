"""What `mosaic doctor` looks at and how it judges: `look_*` read the machine, everything else is pure."""
