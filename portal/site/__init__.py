"""What every page shares: static assets, colours, icons, templates, the site map, /privacy."""
