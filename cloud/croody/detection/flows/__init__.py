"""Packets of a network -> incidents: limits on the counters of `croody_contract.flows`, calibrated on a site's own ordinary traffic."""
