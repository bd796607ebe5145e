"""What every page shares: addresses' languages, headers, static files, layout, number and time formats."""
