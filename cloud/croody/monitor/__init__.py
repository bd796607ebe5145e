"""`/robots/monitor/`: what the robots one may see are doing now. Public words only."""
