"""What the configuration accepts, and how it says what is wrong."""

import re
import tomllib
from pathlib import Path

import pytest

import handlers
from portal.config.load import ConfigError, load, parse
from portal.config.names import RESERVED_SLUGS, TOOL_NAMES
from portal.config.site import Site
from portal.saves import TOOLS

ROOT = Path(__file__).parent.parent.parent

GOOD = """
[listen]
trusted_proxies = ["10.0.0.0/8"]
[gitlab]
url = "https://gitlab.example.com/gitlab/"
[[projects]]
slug = "pets"
gitlab = "example/pets"
"""


def faults(text, environ=None):
    with pytest.raises(ConfigError) as error:
        parse(tomllib.loads(text), environ or {})
    return error.value.faults


def test_a_small_configuration_is_enough():
    config = parse(tomllib.loads(GOOD), {"GITLAB_TOKEN": "t", "METRICS_TOKEN": "m"})
    assert config.port == 8000
    assert config.database == Path("var/portal.sqlite3")
    assert config.gitlab.url == "https://gitlab.example.com/gitlab"
    assert config.project("pets").title == "pets"
    assert config.project("cats") is None
    assert "'t'" not in repr(config)
    assert "'m'" not in repr(config)


def test_what_the_site_says_of_itself():
    text = (
        GOOD
        + """
    [site]
    accent = "#AA0000"
    links = [{ label = "Forum", url = "https://forum.example.com/" }]
    badges = true
    """
    )
    site = parse(tomllib.loads(text), {}).site
    assert (site.title, site.accent, site.footer, site.badges) == ("Portal", "#aa0000", "", True)
    assert [(link.label, link.url) for link in site.links] == [
        ("Forum", "https://forum.example.com/")
    ]
    assert parse(tomllib.loads(GOOD), {}).site == Site()


def test_the_example_is_valid_with_what_is_commented_out():
    text = (ROOT / "portal.example.toml").read_text(encoding="utf-8")
    text = text.replace("/etc/portal/gitlab-ca.pem", str(ROOT / "LICENSE"))  # a file that is there
    settings = re.sub(r"^#(?=\w+ = )", "", text, flags=re.MULTILINE)
    assert settings.count("\n#") < text.count("\n#")
    assert parse(tomllib.loads(settings), {}).site.links[0].label == "Forum"


def test_the_example_is_valid():
    assert len(load(ROOT / "portal.example.toml", {}).projects) == 2


@pytest.mark.parametrize(
    ("addition", "fault"),
    [
        ("x = 1", "x: unknown key"),
        ("[limit]\n", 'limit: unknown key; did you mean "limits"?'),
        ("[limits]\ntransfer = 1", 'limits.transfer: unknown key; did you mean "transfers"?'),
        ("[limits]\ntransfers = 0", "limits.transfers: must be from 1 to 100000"),
        ("[limits]\ntransfers = true", "limits.transfers: must be a whole number"),
        ("[limits]\nstall = 3", "limits.stall: unknown key"),
        ("[limits]\nconnect_seconds = -1", "limits.connect_seconds: must be above 0"),
        ("[limits]\nconnect_seconds = nan", "limits.connect_seconds: must be above 0"),
        ("[site]\nurl = 'https://x/y'", 'site.url: "https://x/y" must be an address'),
        ("[site]\naccent = 'red'", 'site.accent: "red" must be a colour like #0b5c8a'),
        ("[site]\naccent = '#0b5c8'", 'site.accent: "#0b5c8" must be a colour'),
        ("[site]\nbadges = 1", "site.badges: must be true or false"),
        ("[site]\nsecurity_contact = 'me'", 'site.security_contact: "me" must begin with'),
        ("[site]\nlinks = 'x'", "site.links: must be an array of tables"),
        ("[site]\nlinks = [{label = 'x'}]", "site.links[0].url: must be set"),
        ("[site]\nlinks = [{label='x', url='//x'}]", 'site.links[0].url: "//x" must be a path'),
        ("[site]\nlinks = [{label='x', url='javascript:x'}]", "site.links[0].url: "),
        ("[site]\nlinks = [{label='x', url='/', to='y'}]", "site.links[0].to: unknown key"),
        ("[umami]\nshare = 'share/x'", 'umami.share: "share/x" must be a path of'),
        ("[umami]\nshare = '//other/share'", 'umami.share: "//other/share" must be'),
        ("[umami]\nshare = '/share?token=x'", 'umami.share: "/share?token=x" must be'),
        ("[umami]\nwebsite = 'x'", 'umami.website: "x" must be a UUID'),
        ("[umami]\ncollect = 'u'", 'umami.collect: "u" must be a path like /u'),
        ("[umami]\ncollect = '/'", 'umami.collect: "" must be a path like /u'),
        ("[umami]\ncollect = '/a/../b'", 'umami.collect: "/a/../b" must be a path'),
        ("[umami]\ncollect = '/u?x'", 'umami.collect: "/u?x" must be a path'),
        ("[umami]\ncollect = '/pets'", 'umami.collect: "/pets" is one of the portal\'s own'),
        ("[umami]\ncollect = '/x.git'", 'umami.collect: "/x.git" is one of the portal\'s own'),
        ("[umami]\ncollect = '/catalog/x'", 'umami.collect: "/catalog/x" is one of the'),
        ("[umami]\nscript = 'a/b.js'", 'umami.script: "a/b.js" must be a name like script.js'),
        ("[umami]\nscript = 'x.css'", 'umami.script: "x.css" must be a name'),
        ("[umami]\nscript = '..js'", 'umami.script: "..js" must be a name'),
        ("[umami]\nurl = 'umami'", 'umami.url: "umami" must be an address'),
        ("[site]\ntitle = 3", "site.title: must be a string"),
        ('[site]\ntitle = "a\\nb"', "site.title: must not hold control characters"),
        (
            "[[projects]]\nslug = 'metrics'\ngitlab = 'a/b'",
            'projects["metrics"].slug: "metrics" is one of',
        ),
        ("[[projects]]\nslug = 'pets'\ngitlab = 'a/b'", 'projects["pets"].slug: "pets" is taken'),
        ("[[projects]]\nslug = 'Ä'\ngitlab = 'a/b'", 'projects["Ä"].slug: "Ä" must be lower-case'),
        ("[[projects]]\nslug = 'x.git'\ngitlab = 'a/b'", 'projects["x.git"].slug: "x.git" must be'),
        ("[[projects]]\nslug = 'x'", 'projects["x"].gitlab: must be set'),
        (
            "[[projects]]\nslug = 'x'\ngitlab = '../x'",
            'projects["x"].gitlab: "../x" must be a path',
        ),
        ("[[projects]]\nslug = 'x'\ngitlab = '17'", 'projects["x"].gitlab: "17" must be a path'),
    ],
)
def test_each_fault_names_its_key(addition, fault):
    # An addition without a table goes to the top, before the first one.
    text = GOOD + addition if addition.startswith("[") else f"{addition}\n{GOOD}"
    found = faults(text)
    assert any(line.startswith(fault) for line in found), found


@pytest.mark.parametrize(
    ("key", "value", "fault"),
    [
        ("url", "'ftp://x'", 'gitlab.url: "ftp://x" must be an address'),
        ("url", "'https://u@x'", 'gitlab.url: "https://u@x" must be an address'),
        ("url", "'https://x:99999'", 'gitlab.url: "https://x:99999" must be an address'),
        ("asset_hosts", "['https://x']", 'gitlab.asset_hosts: "https://x" must be a host'),
        ("asset_hosts", "'x'", "gitlab.asset_hosts: must be an array of strings"),
        ("asset_networks", "['10.0.0.1/8']", 'gitlab.asset_networks: "10.0.0.1/8" is not'),
        ("token", "'secret'", "gitlab.token: unknown key"),
    ],
)
def test_gitlab_faults(key, value, fault):
    document = tomllib.loads(GOOD)
    document["gitlab"][key] = tomllib.loads(f"v = {value}")["v"]
    with pytest.raises(ConfigError) as error:
        parse(document, {})
    assert error.value.faults[0].startswith(fault)


def test_all_faults_are_found_at_once():
    found = faults("x = 1\n[listen]\nport = 'a'\naddress = 'here'\n[gitlab]\n")
    assert found == [
        'listen.address: "here" is not an IP address',
        "listen.port: must be a whole number",
        "gitlab.url: must be set",
        "projects: must be set",
        "x: unknown key",
    ]


def test_secrets_are_checked_and_never_shown():
    assert faults(GOOD, {"METRICS_TOKEN": "sec ret"}) == [
        "METRICS_TOKEN: must be printable ASCII without spaces"
    ]


@pytest.mark.parametrize("content", [None, b"x = ", b"\xff"])
def test_a_file_that_cannot_be_read(tmp_path, content):
    path = tmp_path / "portal.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"portal\.toml: (cannot be read|not TOML)"):
        load(path, {})


def test_every_path_of_the_portals_own_is_reserved():
    first = {route[0].split("/")[1].rstrip("?").replace("\\", "") for route in handlers.ROUTES}
    own = {name for name in first if re.fullmatch(r"[\w.-]+", name)}
    assert own - TOOL_NAMES <= RESERVED_SLUGS  # a project may have its tool's name


def test_the_names_of_the_tools_are_those_of_the_tools_themselves():
    assert TOOLS.keys() == TOOL_NAMES
