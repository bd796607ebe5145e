"""What keeps a server: secrets, first set-up, certificates, backups, status. No role imports this. No role imports this."""
