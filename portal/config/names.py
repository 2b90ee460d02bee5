"""First path segments that belong to the portal itself."""

# The save tools, each at /<name>. `portal.saves` has the tools themselves; a test compares the two,
# so that the configuration can be read without loading them. A project may carry the name of a
# tool, since its own addresses are /<slug>.git and /downloads/<slug>.
TOOL_NAMES = frozenset({"pets", "prospects"})

# Pages of the portal and of Umami, and files that specifications put at the root. A project of
# that name could never be reached.
RESERVED_SLUGS = frozenset(
    {"badges", "catalog", "downloads", "favicon.ico", "feeds", "healthz", "latest", "metrics"}
    | {
        "hooks",
        "images",
        "manifest.webmanifest",
        "privacy",
        "readyz",
        "robots.txt",
        "sitemap.xml",
        "static",
        "u",
    }
    | {"umami", ".well-known"}
)
