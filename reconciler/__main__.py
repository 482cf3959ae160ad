"""`python -m reconciler` is `reconcile`: how systemd starts us."""

from reconciler.commands.reconcile import main

main()
