"""Serving: sockets, HTTP's protocol, and the shortcuts past the application."""
