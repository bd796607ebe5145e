"""The robot's MQTT connection; the only room that imports paho.

`client` stays connected to one of several brokers, `connection` is one connection from its first to its last byte, `tunnel` and `websocket`
carry it over a gateway's HTTP port, `address` reads where a broker listens, and `remedies` says why one cannot be reached.
"""
