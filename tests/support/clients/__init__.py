"""Real programs as visitors: what downloads and clones, and how many rows each must make."""
