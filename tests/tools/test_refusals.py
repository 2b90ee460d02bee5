"""What the tools do not take: each a sentence, counted for the operator, and no usage."""

import base64
import json
import socket
import time
import zlib

import pytest

from tests.support.running import TOKEN, ask, curl
from tests.support.saves import mount_record, mounts_json, payload, prospect_json, tag
from tests.support.tools import events, opened, post, upload

MOUNTS = mounts_json({})
PROSPECT = prospect_json()


def cut():
    file = json.loads(PROSPECT)
    file["ProspectBlob"]["BinaryBlob"] = file["ProspectBlob"]["BinaryBlob"][:-3]
    return json.dumps(file).encode()


def bomb(size, announced):
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(1 << 20)) for _ in range(size)) + packer.flush()
    file = json.loads(PROSPECT)
    file["ProspectBlob"] |= {
        "BinaryBlob": base64.b64encode(packed).decode(),
        "UncompressedLength": announced,
    }
    return json.dumps(file).encode()


def lying():
    content = bytearray(payload())
    at = content.index(b"StructProperty\0") + len(b"StructProperty\0\0")
    content[at : at + 4] = (1 << 30).to_bytes(4, "little")  # the count of recorders
    return prospect_json(bytes(content))


def negative():
    record = bytearray(mount_record(record=None))
    at = (
        record.index(b"StructProperty\0", record.index(b"Talents\0")) + len(b"StructProperty\0") + 1
    )
    record[at : at + 4] = (-5).to_bytes(4, "little", signed=True)
    return mounts_json({"record": bytes(record)})


REFUSED = {
    "empty": ("pets", b"", 422, "empty"),
    "zeros": ("pets", bytes(5000), 422, "zeros"),
    "not-json": ("pets", b"MZ\x90\x00 this is a program", 422, "not JSON"),
    "other-json": ("pets", b'{"a": 1}', 422, "not a Mounts.json"),
    "a-list": ("prospects", b"[1, 2]", 422, "no save"),
    "wrong-tool": ("pets", PROSPECT, 422, "This is a prospect"),
    "wrong-tool-too": ("prospects", MOUNTS, 422, "This is a Mounts.json"),
    "cut-base64": ("prospects", cut(), 422, "base64"),
    "bomb": ("prospects", bomb(256, 1000), 422, "more than it announces"),
    "too-much": ("prospects", bomb(129, 129 << 20), 422, "more than 128 MiB"),
    "nesting": ("pets", b'{"SavedMounts":' + 10_000 * b"[" + 10_000 * b"]" + b"}", 422, ""),
    "lengths-lie": ("prospects", lying(), 422, "damaged"),
    "negative-count": ("pets", negative(), 422, "damaged"),
    "cut-off": ("pets", MOUNTS[: len(MOUNTS) // 2], 422, "JSON"),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_each_is_a_sentence(portal, clients, case):
    tool, content, expected, gist = case
    client = clients.new()
    begun = time.monotonic()
    status, headers, body = upload(portal, tool, content, client, Accept="application/json")
    assert time.monotonic() - begun < 5
    said = json.loads(body)
    assert (status, said["status"]) == (expected, expected)
    assert gist in said["error"]
    assert said["error"].endswith(".")
    assert said["advice"]
    assert "retry-after" not in headers
    assert events(portal, client) == []
    assert ask(f"{portal.url}/healthz")[0] == 200


TAKEN = {
    "unknown-tag": ("pets", mounts_json({"record": tag("X", "Odd", b"12") + mount_record()})),
    "utf-16": ("pets", mounts_json({}, mark=b"\xff\xfe", codec="utf-16-le")),
    "bom": ("prospects", prospect_json(mark=b"\xef\xbb\xbf")),
}


@pytest.mark.parametrize("case", TAKEN.values(), ids=TAKEN)
def test_what_looks_odd_and_is_good(portal, clients, case):
    tool, content = case
    client = clients.new()
    opened(portal, tool, content, client)
    assert events(portal, client) == ["upload"]


def test_a_wrong_hash_is_said_and_the_player_goes_on(portal, clients):
    client = clients.new()
    wrong = prospect_json(packed={"Hash": "0" * 40})
    said = opened(portal, "prospects", wrong, client)
    assert [doubt["code"] for doubt in said["description"]["warnings"]] == ["hash"]
    page = curl("-H", "Accept: text/html", said["page"], client=client).decode()
    assert "hash does not match" in page
    assert "You can go on" in page
    edit = "version=0&difficulty=Hard"
    assert post(portal, f"/prospects/{said['id']}/edit", "-d", edit, client=client)[0] == 303


def test_a_browser_sees_it_beside_the_field_and_the_way_to_the_other_tool(portal, clients):
    status, _, body = upload(portal, "pets", PROSPECT, clients.new(), Accept="text/html,*/*")
    page = body.decode()
    assert status == 422
    assert "This is a prospect, not a Mounts.json." in page
    assert 'data-link href="/prospects">' in page
    assert 'aria-invalid="true"' in page
    text = upload(portal, "pets", PROSPECT, clients.new())[2].decode()
    assert f"{portal.url}/prospects" in text


UNFINISHED = '--x\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n{}\r\n'
FORMS = {
    "no-form": (["-d", "file=x"], "No file came"),
    "json": (["-d", "{}", "-H", "Content-Type: application/json"], "No file came"),
    "other-field": (["-F", "other=@/dev/null;filename=x"], "No file was chosen"),
    "nothing": (["-F", "file="], "No file was chosen"),
    "no-end": (
        ["-d", UNFINISHED, "-H", "Content-Type: multipart/form-data; boundary=x"],
        "cut off",
    ),
    "no-boundary": (["-d", "x", "-H", "Content-Type: multipart/form-data"], "cut off"),
    "many-parts": ([f"-F{n}=x" for n in range(30)], "cut off"),
}


@pytest.mark.parametrize(("arguments", "gist"), FORMS.values(), ids=FORMS)
def test_no_form_with_a_file(portal, clients, arguments, gist):
    client = clients.new()
    status, _, body = post(portal, "/pets", *arguments, client=client, Accept="application/json")
    assert status == 400
    assert gist in json.loads(body)["error"]
    assert "“file”" in json.loads(body)["advice"]


EDITS = {
    "no-json": ("{", "not JSON"),
    "deep": (100_000 * "[", "not JSON"),
    "long": (300_000 * " ", "more than 256 KiB"),
    "list": ("[]", "no JSON object"),
    "no-edits": ('{"version": 0}', "Edits are a list"),
    "unknown": ('{"edits": [{"edit": "paint"}]}', "no edit “paint”"),
    "float": ('{"edits": [{"edit": "sex", "mount": 1, "sex": 1.0}]}', "whole number"),
    "nan": ('{"edits": [{"edit": "sex", "mount": 1, "sex": NaN}]}', "whole number"),
    "too-many": (json.dumps({"edits": 501 * [{"edit": "delete", "mount": 1}]}), "1 to 500"),
    "no-mount": ('{"edits": [{"edit": "delete", "mount": 7}]}', "whole number"),
}


@pytest.mark.parametrize(("body", "gist"), EDITS.values(), ids=EDITS)
def test_edits_that_are_none(portal, clients, tmp_path, body, gist):
    client = clients.new()
    said = opened(portal, "pets", MOUNTS, client)
    file = tmp_path / "body"
    file.write_text(body)
    for what in ("preview", "edit"):
        status, _, answer = post(portal, f"/pets/{said['id']}/{what}", "--data-binary",
                                 f"@{file}", client=client,
                                 Content_Type="application/json")  # fmt: skip
        assert status == 400
        assert gist in json.loads(answer)["error"]
    assert ask(said["download"], client=client)[2] == MOUNTS


@pytest.mark.parametrize("accept", ["text/html", "application/json", "*/*"])
@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("size", [(16 << 20) + 1, 40 << 20, 70 << 20])
def test_too_large_a_file(portal, clients, tmp_path, accept, chunked, size):
    client = clients.new()
    file = tmp_path / "large"
    with file.open("wb") as large:
        large.truncate(size)
    more = ["-H", "Transfer-Encoding: chunked"] if chunked else []
    status, _, body = post(portal, "/pets", "-F", f"file=@{file}", *more, client=client,
                           Accept=accept)  # fmt: skip
    assert status == 413
    assert "larger than 16 MiB" in body.decode()
    assert events(portal, client) == []


def begin(portal, head, body=b""):
    connection = socket.create_connection(("127.0.0.1", portal.port), timeout=10)
    connection.sendall(f"POST /pets HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n".encode() + body)
    return connection


@pytest.mark.parametrize(
    "head",
    [
        "Content-Length: 99999999999999",
        "Content-Length: 99999999999999\r\nExpect: 100-continue",
        "Content-Length: 20000000\r\nExpect: 100-continue",
    ],
)
def test_what_only_announces_too_much_is_answered_at_once(portal, head):
    with begin(portal, head) as connection:
        answer = connection.recv(1 << 16)
    assert answer.startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    "head", ["Content-Length: -5", "Content-Length: x", "Content-Length: 5, 6"]
)
def test_lengths_that_are_none(portal, head):
    with begin(portal, head, b"hello") as connection:
        assert connection.recv(1 << 16).startswith(b"HTTP/1.1 400 ")


def test_a_body_that_never_comes_is_let_go(start_portal):
    with start_portal(client_stall_seconds=1) as portal:
        begun = time.monotonic()
        with begin(portal, "Content-Length: 5000", b"begin") as connection:
            assert connection.recv(1 << 16) == b""
        assert 0.9 < time.monotonic() - begun < 5


def test_one_client_sends_four_at_once(start_portal):
    with start_portal() as portal:
        head = "Content-Length: 5000\r\nX-Forwarded-For: 198.51.100.9\r\nAccept: application/json"
        waiting = [begin(portal, head, b"begin") for _ in range(4)]
        time.sleep(0.2)
        status, headers, _ = upload(portal, "pets", MOUNTS, "198.51.100.9")
        assert (status, headers["retry-after"]) == (429, "10")
        assert upload(portal, "pets", MOUNTS, "198.51.100.8")[0] == 303
        for connection in waiting:
            connection.close()
        time.sleep(0.2)
        assert upload(portal, "pets", MOUNTS, "198.51.100.9")[0] == 303


def test_the_operator_sees_how_many_were_refused_and_why(start_portal, clients):
    with start_portal() as portal:
        for tool, content, headers in (
            ("pets", b"", {}),
            ("pets", b"x", {}),
            ("pets", PROSPECT, {}),
            ("pets", bytes((16 << 20) + 1), {}),
            ("pets", MOUNTS, {"Sec_Fetch_Site": "cross-site"}),
            ("prospects", PROSPECT, {}),
        ):
            upload(portal, tool, content, clients.new(), **headers)
        post(portal, "/pets", "-d", "x", client=clients.new())
        expected = {
            "refused_unreadable": 2,
            "refused_wrong_tool": 1,
            "refused_too_large": 1,
            "refused_cross_site": 1,
            "refused_form": 1,
        }
        until = time.monotonic() + 10
        while True:
            page = ask(f"{portal.url}/metrics?token={TOKEN}&format=json")[2]
            sums = json.loads(page)["house"]["traffic"]["ever"]
            refused = {n: c for n, c in sums.items() if n.startswith("refused")}
            if refused == expected:
                break
            assert time.monotonic() < until, refused
            time.sleep(0.2)
        page = ask(f"{portal.url}/metrics?token={TOKEN}")[2].decode()
        assert "Save files refused: posted by another site" in page
