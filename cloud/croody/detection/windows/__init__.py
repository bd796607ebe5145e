"""Verdicts on the windows that robots screened and found suspicious."""
