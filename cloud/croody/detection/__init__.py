"""Detection: the HTTP API with its model, and verdicts on what robots found suspicious."""
