"""`python -m reconciler` is `reconcile`: systemd starts us this way."""

from reconciler.commands.reconcile import main

main()
