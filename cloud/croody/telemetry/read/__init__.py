"""Questions about what is stored: newest readings, charts, deliveries. Writes nothing."""
