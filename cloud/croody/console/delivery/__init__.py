"""`/console/delivery/`, Entregas: is anything missing, is it coming back, and the proof of it."""
