"""SD Elements: its API as values, and what is done with its jobs."""
