"""The operating system side: processes, sockets, signals, systemd, memory, logs."""
