"""metrics.yaml, read into a catalog or into all of its mistakes."""
