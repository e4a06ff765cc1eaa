"""The feed: committed changes, newest first in memory, as the events that readers see."""
