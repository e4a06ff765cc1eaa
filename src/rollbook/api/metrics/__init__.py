"""The figures of a registry for Prometheus."""
