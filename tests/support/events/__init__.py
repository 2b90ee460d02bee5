"""Invented events: months of them, what their counts must be, and a recorder's database."""
