"""Configuration: one TOML file and a few environment variables, checked as a whole."""
