"""Headless Chromium, and pages as it and a reader see them."""
