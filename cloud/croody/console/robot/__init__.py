"""`/console/robots/<id>/`: is it well; if not, value against limit, what changed before, what to do."""
