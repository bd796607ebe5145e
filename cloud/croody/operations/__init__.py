"""What a container of the cloud does once, before the roles start. No role imports this."""
