"""What every page shares: server, addresses' languages, headers, static files, layout, number and time formats."""
