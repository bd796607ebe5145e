"""A small site under attack, for demonstrations, loads and measurements: captures with labels, and attacks on one's own system.

What machines do is written once (`attacks`, `everyday`), against `host.Host`. `wire` makes every packet itself in a time of its own;
`sockets` speaks through real ones, in network namespaces (`live`) or on the loopback interface (`loopback`).
"""
