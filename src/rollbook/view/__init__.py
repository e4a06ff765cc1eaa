"""What is in memory: the newest document of every cluster, and indexes that narrow a filter to candidates."""
