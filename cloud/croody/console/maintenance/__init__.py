"""`/console/robots/<id>/maintenance/`: somebody works on a robot until a time, and it asks for nobody meanwhile."""
