"""`make bench`: the parts that decide how fast Croody is, each beside a peer in the same run.

`parts/` has one file a part, `peers/` one a peer, `work/` the programs that run in a process of their own. Figures are medians of rounds
that take turns, because a machine warms up and neighbours come and go: read the ratios before the numbers.
"""
