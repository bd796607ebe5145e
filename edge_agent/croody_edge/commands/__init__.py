"""What the cloud may ask of a robot, one file a kind."""
