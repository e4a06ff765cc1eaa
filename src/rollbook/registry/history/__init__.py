"""History: clusters and the fleet as they were, restoring them, and how long the past is kept."""
