"""Liveness: heartbeats, the leases that they renew, and the status of clusters that fall silent."""
