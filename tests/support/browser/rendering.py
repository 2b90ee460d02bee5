"""Pages made without a server, and read as their elements."""

from html.parser import HTMLParser

from portal.config.site import Link, Site
from portal.site import templates
from portal.site.map import NAVIGATION

VOID = {"meta", "link", "input", "img", "br", "hr", "rect", "path"}
SITE = Site(
    title="Site",
    description="What it is.",
    footer="Who runs it.",
    links=(Link("Elsewhere", "/elsewhere"),),
)


class Page(HTMLParser):
    """The elements of a page, with their attributes; fails on tags that do not match."""

    def __init__(self, html):
        super().__init__()
        self.html = html
        self.elements, self.open, self.text = [], [], ""
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data

    def all(self, tag, **attributes):
        wanted = attributes.items()
        return [a for t, a in self.elements if t == tag and wanted <= a.items()]


def render(template, **context):
    """A page of a template."""
    environment = templates.environment()
    environment.globals.update(
        site=SITE, static=lambda path: f"/static/{path}?v=1", navigation=NAVIGATION
    )
    return Page(environment.get_template(template).render(**context))
