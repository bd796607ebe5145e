"""`/console/handover/`: what happened since, and taking the shift."""
