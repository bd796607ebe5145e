"""What comes of how boards enrol and change their secrets: alarms, and the rotation. Claims and secrets themselves are the fleet's."""
