"""The same meter at the broker or the gateway: a process that may read packets, and nothing else; it writes files that others read.

It has no secret, no database and no name in the network. `watch` runs there; `findings` is what the worker and the web know of it.
"""
