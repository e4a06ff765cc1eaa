"""JSON Schemas (2020-12) of what goes in and out over HTTP."""
