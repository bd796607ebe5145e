"""What robots' agents screened of their networks: judged again here, and what screening on board probably missed."""
