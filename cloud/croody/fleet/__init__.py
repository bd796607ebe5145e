"""Robots and their sites: whose they are, who may do what with them, and what lets them in."""
