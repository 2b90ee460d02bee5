"""GitLab and hosts of files for tests, over real sockets: its API, scripted and faulty answers."""
