"""The one place where topics and payloads are spelled. Pure: no sockets, files, clocks or databases.

`topics` MQTT topics both ways; `messages` payload structs; `batch` a publish body both ways; `ranges` sets of
sequence numbers; `relay` what the bridge and the telemetry API say to each other; `limits` every number they share. What the robot's
commands and the broker's say alike stands here, too: `texts`, `arguments` and `printable`; and how
they end, `ending`.
"""
