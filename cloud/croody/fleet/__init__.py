"""Robots: whose they are, what lets them in, what is sent to them, and whether they are there."""
