"""The index: for each path and value, the documents that hold it."""
