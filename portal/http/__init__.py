"""HTTP parsing that needs no server: negotiation, ranges, bodies, hosts, client addresses."""
