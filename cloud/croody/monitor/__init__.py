"""`/robots/monitor/`: what the robots one may see are doing now, and the words and parts of it that the console shows, too."""
