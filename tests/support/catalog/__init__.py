"""Sets of data tables, whole and broken, and portals that show them."""
