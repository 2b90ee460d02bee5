"""The stand-in's addresses, on one screen. Groups are unquoted: `:id` may be `group%2Fproject`."""

from tornado.web import Application

from demo.answers import DemoSite, NoSuchRoute, SignIn, WebPage
from demo.archives import ApiArchive, WebArchive
from demo.attachments import ArtifactsOfJob, ArtifactsOfRef, RawFile, UploadedFile
from demo.objects import Object
from demo.packages import PackageFile, PackageFileByNumber, PackageFileList, Packages
from demo.releases import (
    AssetOfRelease,
    AssetPermalink,
    LatestPermalink,
    LatestRelease,
    ProjectPage,
    Releases,
    SingleRelease,
)
from demo.secrets import Metadata, OwnToken, Variables
from demo.smart_http import InfoRefs, ReceivePack, UploadPack, WithoutSuffix

API = r"/api/v4/projects/([^/]+)"
REPOSITORY = r"/(.+)\.git"
PROJECT = r"/([^/]+(?:/[^/]+)+?)"
FORMATS = r"(tar\.gz|tar\.bz2|zip|tar)"


def gitlab(site: DemoSite) -> Application:
    """GitLab's addresses."""
    return Application(
        [
            (API, ProjectPage),
            (rf"{API}/releases", Releases),
            (rf"{API}/releases/permalink/latest(/.+|)", LatestRelease),
            (rf"{API}/releases/([^/]+)", SingleRelease),
            (rf"{API}/releases/([^/]+)/downloads/(.+)", AssetOfRelease),
            (rf"{API}/packages", Packages),
            (rf"{API}/packages/(\d+)/package_files", PackageFileList),
            (rf"{API}/packages/(\d+)/package_files/(\d+)/download", PackageFileByNumber),
            (rf"{API}/packages/generic/([^/]+)/([^/]+)/([^/]+)", PackageFile),
            (rf"{API}/uploads/([0-9a-f]{{32}})/([^/]+)", UploadedFile),
            (rf"{API}/jobs/artifacts/([^/]+)/(?:download|raw/(.+))", ArtifactsOfRef),
            (rf"{API}/jobs/(\d+)/artifacts(?:/(.+))?", ArtifactsOfJob),
            (rf"{API}/repository/files/([^/]+)/raw", RawFile),
            (rf"{API}/(variables|issues|hooks|members)", Variables),
            (rf"{API}/repository/archive(?:\.{FORMATS})?", ApiArchive),
            (r"/api/v4/personal_access_tokens/self", OwnToken),
            (r"/api/v4/(?:metadata|version)", Metadata),
            (r"/api/(.*)", NoSuchRoute),
            (rf"{REPOSITORY}/info/refs", InfoRefs),
            (rf"{REPOSITORY}/git-upload-pack", UploadPack),
            (rf"{REPOSITORY}/git-receive-pack", ReceivePack),
            (rf"{PROJECT}/info/refs", WithoutSuffix),
            (rf"{PROJECT}/-/releases/permalink/latest(/.+|)", LatestPermalink),
            (rf"{PROJECT}/-/releases/(.+?)/downloads/(.+)", AssetPermalink),
            (rf"{PROJECT}/-/archive/(.+)/[^/]+?\.{FORMATS}", WebArchive),
            (r"/users/sign_in", SignIn),
            (r"/.*", WebPage),
        ],
        site=site,
        log_function=_no_log,
    )


def objects(site: DemoSite) -> Application:
    """The object store's addresses."""
    return Application([(r"/(.+)", Object)], site=site, log_function=_no_log)


def _no_log(_: object) -> None:
    """The portal's log is the one to read."""
