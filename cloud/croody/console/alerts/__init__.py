"""`/console/alerts/`: the inbox, and one alarm with its evidence."""
