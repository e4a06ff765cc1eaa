"""Rollbook: the clusters registry of an AI network."""

__version__ = "0.1.0"
