"""The metrics of a registry, for Prometheus."""
