"""Worker processes that parse untrusted save files under resource limits."""
