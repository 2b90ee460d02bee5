"""Translation of a release link's address into the API address that gives its file.

GitLab takes the portal's token under `/api/` and, outside it, only for source archives and the
permalinks of releases (`valid_web_access_format?` in lib/gitlab/auth/auth_finders.rb); every other
web address of a private project leads to the sign-in page. The token may also read much that is no
file (variables, issues, members). So an address of GitLab's origin is either one of the forms
below, of the one project, or it is refused.

| address                                        | asked of the API                                |
|------------------------------------------------|-------------------------------------------------|
| /-/project/:id/uploads/:secret/:file           | /projects/:id/uploads/:secret/:file             |
| /:path/uploads/:secret/:file                   | the same                                        |
| /:path/-/jobs/artifacts/:ref/download?job=     | /projects/:id/jobs/artifacts/:ref/download?job= |
| /:path/-/jobs/artifacts/:ref/raw/:file?job=    | …/jobs/artifacts/:ref/raw/:file?job=            |
| /:path/-/jobs/:n/artifacts/download            | …/jobs/:n/artifacts                             |
| /:path/-/jobs/:n/artifacts/raw/:file           | …/jobs/:n/artifacts/:file                       |
| /:path/-/package_files/:n/download             | …/packages/:package/package_files/:n/download   |
| /:path/-/raw/:ref/:file                        | …/repository/files/:file/raw?ref=               |
| /:path/-/releases/:tag/downloads/:file         | itself: it redirects to a link of that release  |
| /:path/-/archive/:ref/:file                    | itself: its bytes are the ones people pin       |
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urlsplit

_PORTS = {"http": 80, "https": 443}
_HEX32 = "[0-9a-f]{32}"
# What may follow /api/v4/projects/:id/, and the fields of the query that are passed on.
_API_FORMS = (
    (r"packages/generic/[^/]+/[^/]+/(?P<name>.+)", ()),
    (r"packages/\d+/package_files/\d+/download", ()),
    (r"packages/maven/.+/(?P<name>[^/]+)", ()),
    (r"packages/pypi/files/[0-9a-f]{64}/(?P<name>[^/]+)", ()),
    (r"packages/npm/.+/-/(?:.+/)?(?P<name>[^/]+)", ()),
    (r"packages/nuget/download/.+/(?P<name>[^/]+)", ()),
    (r"packages/debian/pool/.+/(?P<name>[^/]+)", ()),
    (r"packages/helm/[^/]+/charts/(?P<name>[^/]+)", ()),
    (r"packages/rpm/\d+/(?P<name>[^/]+)", ()),
    (
        r"repository/archive(?:\.(?:tar\.gz|tgz|tar\.bz2|tbz|tbz2|tb2|bz2|tar|zip))?",
        ("sha", "path"),
    ),
    (r"repository/files/(?P<name>[^/]+)/raw", ("ref", "lfs")),
    (r"releases/(?:permalink/latest|[^/]+)/downloads/(?P<name>.+)", ()),
    (r"jobs/artifacts/[^/]+/download", ("job", "search_recent_successful_pipelines")),
    (r"jobs/artifacts/[^/]+/raw/(?P<name>.+)", ("job", "search_recent_successful_pipelines")),
    (r"jobs/\d+/artifacts", ()),
    (r"jobs/\d+/artifacts/(?P<name>.+)", ()),
    (rf"uploads/{_HEX32}/(?P<name>[^/]+)", ()),
)
_API = tuple((re.compile(form), fields) for form, fields in _API_FORMS)
_API_PROJECT = re.compile(r"/api/v4/projects/([^/]+)/(.+)", re.IGNORECASE)
_PROJECT_UPLOAD = re.compile(rf"/-/project/(\d+)/(uploads/{_HEX32}/[^/]+)")
_UPLOAD = re.compile(rf"uploads/{_HEX32}/[^/]+")
_ARCHIVE = re.compile(r"-/archive/.+/[^/]+\.(?:tar\.gz|tar\.bz2|tar|zip)")
_RELEASE_FILE = re.compile(r"-/releases/.+?/downloads/(.+)")
_REF_ARTIFACTS = re.compile(r"-/jobs/artifacts/(.+?)/(download|raw/.+)")
_JOB_ARTIFACTS = re.compile(r"-/jobs/(\d+)/artifacts/(?:download|raw/(.+))")
_PACKAGE_FILE = re.compile(r"-/package_files/(\d+)/download")
_RAW = re.compile(r"-/raw/(.+)")


class Kind(Enum):
    """What an address is; only a FILE is ever asked with the token."""

    FILE = "file"
    ELSEWHERE = "of another host"
    FOREIGN = "of another project of this GitLab"
    PAGE = "a page of GitLab and no file"


@dataclass(frozen=True, slots=True)
class ProjectLocation:
    """One project in GitLab: where GitLab is, its paths (the present first), its number.

    `bases` are all addresses of this GitLab, without a trailing slash; the first is the one that is
    asked, the others are names that it gives itself (`external_url`).
    """

    bases: tuple[str, ...]
    paths: tuple[str, ...]
    number: int | None = None

    @property
    def api(self) -> str:
        """The project's address in the API."""
        name = str(self.number) if self.number else quote(self.paths[0], safe="")
        return f"{self.bases[0]}/api/v4/projects/{name}"


@dataclass(frozen=True, slots=True)
class Address:
    """What an address stands for. `url` is what is asked for a FILE, with the token.

    `name` is the file's own name, "" where the form has none. `package_file` is the number of a
    package file whose package must be found before it can be asked.
    """

    kind: Kind
    url: str
    name: str = ""
    package_file: int | None = None


def read_address(url: str, place: ProjectLocation, refs: Collection[str] = ()) -> Address:
    """What `url` is, as a link of the project at `place`.

    `refs` are branches and tags that are known: a web address does not say where a ref with slashes
    ends.
    """
    try:
        parts = urlsplit(url)
        base = next((b for b in place.bases if same_origin(parts, b)), None)
    except ValueError:
        return Address(Kind.ELSEWHERE, url)
    if base is None:
        return Address(Kind.ELSEWHERE, url)
    root = urlsplit(base).path
    if parts.username or _climbs(parts.path) or not parts.path.startswith(f"{root}/"):
        return Address(Kind.PAGE, url)
    path = parts.path[len(root) :]
    if match := _API_PROJECT.fullmatch(path):
        return _api_address(match[1], match[2], parts.query, place, url)
    if match := _PROJECT_UPLOAD.fullmatch(path):
        own = int(match[1]) == place.number
        return _api(place, match[2]) if own else Address(Kind.FOREIGN, url)
    for own_path in place.paths:
        prefix = f"/{quote(own_path)}/"
        if path.lower().startswith(prefix.lower()):
            found = _web_address(path[len(prefix) :], parts.query, place, refs)
            return found or Address(Kind.PAGE, url)
    return Address(Kind.FOREIGN if "/-/" in path or "/uploads/" in path else Kind.PAGE, url)


def _api_address(name: str, rest: str, query: str, place: ProjectLocation, url: str) -> Address:
    asked = unquote(name).lower()
    if asked not in (str(place.number), *(path.lower() for path in place.paths)):
        return Address(Kind.FOREIGN, url)
    # The number as it was written: a path is asked by its path while the number is not known.
    for form, fields in _API:
        if match := form.fullmatch(rest):
            start = f"{place.bases[0]}/api/v4/projects/{quote(unquote(name), safe='')}"
            found = match.groupdict().get("name") or ""
            return Address(Kind.FILE, f"{start}/{rest}{_query(query, fields)}", _segment(found))
    return Address(Kind.PAGE, url)


def _web_address(
    rest: str, query: str, place: ProjectLocation, refs: Collection[str]
) -> Address | None:
    """A web address of the project itself; `rest` is what follows its path."""
    if _UPLOAD.fullmatch(rest):
        return _api(place, rest)
    if _ARCHIVE.fullmatch(rest):
        address = f"{place.bases[0]}/{quote(place.paths[0])}/{rest}{_query(query, ('path',))}"
        return Address(Kind.FILE, address, _segment(rest))
    if match := _RELEASE_FILE.fullmatch(rest):
        address = f"{place.bases[0]}/{quote(place.paths[0])}/{rest}"
        return Address(Kind.FILE, address, _segment(match[1]))
    if match := _JOB_ARTIFACTS.fullmatch(rest):
        return _api(place, f"jobs/{match[1]}/artifacts" + (f"/{match[2]}" if match[2] else ""))
    if match := _REF_ARTIFACTS.fullmatch(rest):
        ref = quote(unquote(match[1]), safe="")
        return _api(place, f"jobs/artifacts/{ref}/{match[2]}", _query(query, ("job",)))
    if match := _PACKAGE_FILE.fullmatch(rest):
        address = f"{place.bases[0]}/{quote(place.paths[0])}/{rest}"
        return Address(Kind.FILE, address, package_file=int(match[1]))
    if match := _RAW.fullmatch(rest):
        ref, path = _split_ref(unquote(match[1]), refs)
        file = f"repository/files/{quote(path, safe='')}/raw"
        return _api(place, file, f"?{urlencode({'ref': ref})}") if path else None
    return None


def _api(place: ProjectLocation, rest: str, query: str = "") -> Address:
    """A form of the API, of the project at `place`."""
    match = next(m for form, _ in _API if (m := form.fullmatch(rest)))
    name = match.groupdict().get("name") or ""
    return Address(Kind.FILE, f"{place.api}/{rest}{query}", _segment(name))


def is_archive(url: str) -> bool:
    """Whether an address of GitLab is that of a source archive, which is made for each request."""
    path = url.partition("?")[0]
    return "/-/archive/" in path or "/repository/archive" in path


def package_file_url(place: ProjectLocation, package: int, number: int) -> str:
    """The API's address of a package file, once its package is known."""
    return f"{place.api}/packages/{package}/package_files/{number}/download"


def _split_ref(rest: str, refs: Collection[str]) -> tuple[str, str]:
    """The ref at the beginning and the path behind it: the longest ref known, or one segment."""
    known = [ref for ref in refs if rest.startswith(f"{ref}/")]
    ref = max(known, key=len, default=rest.partition("/")[0])
    return ref, rest[len(ref) + 1 :]


def _query(query: str, fields: tuple[str, ...]) -> str:
    """The fields that the form knows; no others, which could hold a token or another user."""
    known = [(name, value) for name, value in parse_qsl(query) if name in fields]
    return f"?{urlencode(known, quote_via=quote)}" if known else ""


def _segment(path: str) -> str:
    return unquote(path).rpartition("/")[2]


def same_origin(parts: SplitResult, base: str) -> bool:
    """Whether an address is of the origin of `base` (RFC 6454, 5: scheme, host and port, where the
    scheme's own port may be left out). Raises `ValueError` where its port is no number."""
    own = urlsplit(base)
    return (parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)) == (
        own.scheme,
        own.hostname,
        own.port or _PORTS.get(own.scheme),
    )


def _climbs(path: str) -> bool:
    """Whether libcurl or GitLab could read the path as another one: dot segments, backslashes."""
    plain = unquote(unquote(path))
    segments = re.split(r"[/\\]", plain)
    return "\\" in plain or any(s in (".", "..") for s in segments) or "//" in path
