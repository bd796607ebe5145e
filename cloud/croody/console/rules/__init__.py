"""`/console/rules/`: what raises an alarm, what it would have raised, and how people are told."""
