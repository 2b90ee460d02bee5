"""Base classes of all handlers: errors, request bodies, streamed and chunked answers."""
