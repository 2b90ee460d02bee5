"""The service's surroundings: systemd units, their sandbox, notify socket, Caddy."""
