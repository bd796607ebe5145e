"""`/console/find`: robots, alarms, pages and what one can do, by a few letters."""
