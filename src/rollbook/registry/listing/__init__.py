"""Lists: the fleet page by page, as of one revision, and as tables."""
