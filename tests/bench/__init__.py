"""`./dev bench`: what the loop costs, as ratios against a floor and against the neighbours, measured in one run."""
