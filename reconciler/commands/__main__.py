"""`python -m reconciler.commands` is `mosaic`: how agents call us, from whatever folder they are in."""

from reconciler.commands.mosaic import main

main()
