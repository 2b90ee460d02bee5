"""Reverse-proxy core: one upstream exchange streamed to one client in bounded memory."""
