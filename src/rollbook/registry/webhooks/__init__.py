"""Webhooks: changes delivered to registered URLs, at least once and in order."""
