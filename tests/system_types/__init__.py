"""System types: their data, what is provisioned from them, and the tree of who reports to whom."""
