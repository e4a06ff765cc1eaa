"""THE RULES OF CLUSTERS: their schema, what is cast, filled and derived, and what is refused. Pure; does no I/O."""
