"""Models that a site trains of its own data: made, kept, seen beside the rules, and promoted by a person. No rule waits for one."""
