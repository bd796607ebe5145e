"""Tags for people's own pages."""
