"""The fault matrix: breaks parts of a running system and audits, by SQL and a witness of its own, what is left.

`make chaos ROUNDS=5 [FAULTS=bridge-killed,link-cut] [BROKER=mosquitto] [DB=postgres] [BRIDGES=2]`
"""
