"""/metrics: its tables as data, the figures in them, and the forms HTML, JSON, CSV, Prometheus."""
