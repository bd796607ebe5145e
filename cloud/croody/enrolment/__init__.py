"""What comes of how boards enrol: alarms about claims. Claims themselves are the fleet's."""
