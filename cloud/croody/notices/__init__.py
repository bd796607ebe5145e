"""Rules that raise alarms of what robots measure, and notices that carry alarms to people."""
