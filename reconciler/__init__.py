"""The reconcile loop, its store, its triggers and its two command lines."""
