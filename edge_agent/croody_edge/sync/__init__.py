"""How records leave the outbox and acknowledgements come back: over MQTT in batches, or over HTTP one by one."""
