"""Expressions: what an aggregation expression means, exactly as MongoDB says, on JSON."""
