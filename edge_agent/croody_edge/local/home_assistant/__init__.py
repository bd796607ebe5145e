"""A robot that appears in Home Assistant by itself: `discovery` words what it is, `station` says it at the home's broker.

Written against Home Assistant's documentation and schemas of MQTT discovery for devices (2024.11 and later).
"""
