"""MQTT on one side, the telemetry API on the other. Imports no Django: it runs where the cloud's code does not."""
