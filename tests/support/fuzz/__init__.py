"""Generated requests: addresses made from the routes, methods, headers and bodies, raw bytes."""
