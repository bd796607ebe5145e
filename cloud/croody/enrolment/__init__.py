"""What comes of how boards enrol: alarms about claims and secrets in two hands. Claims themselves are the fleet's."""
