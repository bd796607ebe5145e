"""amqtt with a guard: authenticates before it touches a session, denies topics by default."""
