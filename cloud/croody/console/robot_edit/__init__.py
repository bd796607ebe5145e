"""`/console/robots/<id>/edit/`: what a robot is to its team: name, tags, site, and whether the public sees it."""
