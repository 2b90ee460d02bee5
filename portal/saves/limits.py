"""Size limit of a save file, for whoever receives, stores, unpacks or writes one."""

# Bytes of one file. A changed file has the same limit, so that it can be opened again.
FILE_BYTES = 16 << 20
