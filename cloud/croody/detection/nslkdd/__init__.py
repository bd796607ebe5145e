"""The model of network connections behind `/api/ids/predict`, trained on NSL-KDD."""
