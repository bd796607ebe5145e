"""`/console/kpis/`: how the fleet, its sites and its robots did over weeks."""
