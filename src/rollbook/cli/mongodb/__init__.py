"""What MongoDB and its tools hold, moved into a registry and back. Imported where it is used: it needs PyMongo."""
