"""Upload store: save files of visitors, kept for an hour under unguessable names."""
