"""Measures the screening of any robot's own sensors: robots with other metrics, faults put in, what is found and what is called wrongly."""
