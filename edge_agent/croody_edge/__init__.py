"""The agent on a robot board, and the simulator that runs virtual robots through it. Never imports Django."""
