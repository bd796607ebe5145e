"""Readings, the ledger that proves them, dead letters, roll-ups: what robots said and how it is shown to be all there."""
