"""Upload store: save files of visitors, for an hour under unguessable names."""
