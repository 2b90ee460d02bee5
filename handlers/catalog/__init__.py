"""/catalog: pages, search, comparison and files of the data tables."""
