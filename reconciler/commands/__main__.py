"""`python -m reconciler.commands` is `mosaic`: agents call us this way, from any folder."""

from reconciler.commands.mosaic import main

main()
