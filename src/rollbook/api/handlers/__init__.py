"""The handlers: parse, ask, answer. One module for each tag of the API."""
