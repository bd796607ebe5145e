"""`/console/detection/`, Detección: does some robot behave oddly, and can the detector be trusted."""
