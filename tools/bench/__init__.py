"""`make bench`: the parts that decide how fast Croody is, each beside a peer in the same run.

ONLY, EACH (seconds) and ROUNDS come from the environment. Figures are medians of rounds that take turns, since a machine warms up and
neighbours come and go: read the ratios before the numbers. Nothing here writes a file; docs/reference/bench.md is kept by hand.
"""
