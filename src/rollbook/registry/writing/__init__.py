"""Writing: commands, and the committer that makes their decisions durable."""
