"""What the cloud wants of a robot: rows that are sent again until the robot answers or they expire."""
