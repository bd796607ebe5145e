"""What is done to many robots at once: those that were chosen, or all that match the fleet's filters."""
