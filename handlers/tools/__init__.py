"""/pets and /prospects: upload, edit, preview and download of save files."""
