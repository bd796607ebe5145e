"""Programs that measure one thing each, in a process of their own: JSON argument in, one JSON object out."""
