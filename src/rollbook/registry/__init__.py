"""The registry: writes as commands through one committer, reads over the view."""
