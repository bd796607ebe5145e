"""`/console/map/`, Mapa: where the robots are, on the plans of their sites and on Earth, and which of them do not say."""
