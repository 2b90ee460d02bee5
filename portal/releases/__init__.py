"""Releases as values, and their forms: notes, text, feeds, badges."""
