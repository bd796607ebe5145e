"""What each role answers to: one module a role."""
