"""Release notes, friendly and hostile."""

import re
import time

import pytest

from portal.releases import notes

REL = 'rel="nofollow noopener noreferrer"'


@pytest.mark.parametrize(
    ("source", "html"),
    [
        ("# A\n## B\n#### D\n###### F", "<h3>A</h3>\n<h4>B</h4>\n<h5>D</h5>\n<h6>F</h6>\n"),
        ("A\n=", "<h3>A</h3>\n"),
        ("*a* `b`", "<p><em>a</em> <code>b</code></p>\n"),
        ("[a](https://x/?a=1&b)", f'<p><a href="https://x/?a=1&amp;b" {REL}>a</a></p>\n'),
        ('[a](http://x "t")', f'<p><a href="http://x" {REL}>a</a></p>\n'),
        ("[a](mailto:b@c.d)", f'<p><a href="mailto:b@c.d" {REL}>a</a></p>\n'),
        ("<https://x>", f'<p><a href="https://x" {REL}>https://x</a></p>\n'),
        ("[a](docs/b.md)", "<p>a</p>\n"),
        ("[a](//x)", "<p>a</p>\n"),
        ("[a](javascript:alert(1))", "<p>a</p>\n"),
        ("[a](JaVaScRiPt:alert(1))", "<p>a</p>\n"),
        ("[a](data:text/html,x)", "<p>a</p>\n"),
        ("[a](vbscript:x)", "<p>a</p>\n"),
        ("[a](&#106;avascript:x)", "<p>a</p>\n"),
        ("<javascript:x>", "<p>javascript:x</p>\n"),
        ("[a]\n\n[a]: javascript:x", "<p>a</p>\n"),
        ("![b *c*](https://x/i.png)", f'<p><a href="https://x/i.png" {REL}>b c</a></p>\n'),
        ("![](https://x/i.png)", f'<p><a href="https://x/i.png" {REL}>image</a></p>\n'),
        ("![b](/uploads/i.png)", "<p>b</p>\n"),
        ("![b](data:image/png;base64,x)", "<p>b</p>\n"),
        ("[![b](https://x/i)](https://y)", f'<p><a href="https://y" {REL}>b</a></p>\n'),
        ("[![b](https://x/i)](javascript:y)", f'<p><a href="https://x/i" {REL}>b</a></p>\n'),
        ('a<img src=x onerror="y">', "<p>a&lt;img src=x onerror=&quot;y&quot;&gt;</p>\n"),
        ("<script>x</script>", "<p>&lt;script&gt;x&lt;/script&gt;</p>\n"),
        ("<!-- a -->", "<p>&lt;!-- a --&gt;</p>\n"),
        ('```a"b\n<i>\n```', '<pre><code class="language-a&quot;b">&lt;i&gt;\n</code></pre>\n'),
        ("- [x] a\n- [ ] b", "<ul>\n<li>☑ a</li>\n<li>☐ b</li>\n</ul>\n"),
        ("> [!note]\n> a", "<blockquote>\n<p><strong>Note</strong>\na</p>\n</blockquote>\n"),
        ("see https://x/a, b", f'<p>see <a href="https://x/a" {REL}>https://x/a</a>, b</p>\n'),
        ("`https://x` :rocket: :none:", "<p><code>https://x</code> 🚀 :none:</p>\n"),
        ("a<br>b<br/>c", "<p>a<br />\nb<br />\nc</p>\n"),
        ("#45 acme/notes!1 @dana", "<p>#45 acme/notes!1 @dana</p>\n"),
        (
            "https://x/\"onclick='y'",
            f"<p><a href=\"https://x/\" {REL}>https://x/</a>&quot;onclick='y'</p>\n",
        ),
        ("[[_TOC_]]\n\n# A\n\n[TOC]\n\nb [TOC]", "<h3>A</h3>\n<p>b [TOC]</p>\n"),
        ("![b](https://x){width=5%}c", f'<p><a href="https://x" {REL}>b</a>c</p>\n'),
        (
            "[b](https://x){c} {width=1}",
            f'<p><a href="https://x" {REL}>b</a>{{c}} {{width=1}}</p>\n',
        ),
        ("", ""),
    ],
)
def test_notes(source, html):
    assert notes.render(source) == html


def test_tables_are_aligned_without_inline_style():
    html = notes.render("|a|b|\n|:-|-:|\n|1|2|\n")
    assert '<th class="align-left">' in html
    assert '<td class="align-right">' in html
    assert "style" not in html


def test_nothing_that_the_notes_say_becomes_an_element_of_another_kind():
    hostile = "<svg/onload=x> <a href=x> </article></main> [x](https://y\"onclick='z') <b>\n\n</p>"
    html = notes.render(hostile)
    assert set(re.findall(r"</?(\w+)", html)) <= {"p", "a"}
    assert not re.search(r"<[^>]*\son\w+=", html)


def test_long_notes_are_cut_and_say_so():
    html = notes.render("```\n" + "word " * notes.LENGTH)
    assert html.endswith("longer than what is shown here.</em></p>\n")
    assert len(html) < notes.LENGTH + 200


SECRET = "0123456789abcdef" * 2
UPLOADS = (
    (f"/uploads/{SECRET}/ä.png", "/downloads/p/v/x.png", "/images/p/v/x.png"),
    (f"/uploads/{SECRET}/b.pdf", "/downloads/p/v/b.pdf", ""),
)
IMAGE = '<img src="/images/p/v/x.png" alt="{}" loading="lazy" />'


@pytest.mark.parametrize(
    ("source", "html"),
    [
        (f"![a *b*](/uploads/{SECRET}/ä.png)", IMAGE.format("a b")),
        (f'![<"](/uploads/{SECRET}/ä.png "t")', IMAGE.format("&lt;&quot;")),
        (f'![a](/uploads/{SECRET}/ä.png){{width=75% height="9"}} c', IMAGE.format("a") + " c"),
        (f"[![a](/uploads/{SECRET}/ä.png)](javascript:x)", IMAGE.format("a")),
        (f"[a](/uploads/{SECRET}/%C3%A4.png)", '<a href="/downloads/p/v/x.png">a</a>'),
        (f"[a](/uploads/{SECRET}/b.pdf)", '<a href="/downloads/p/v/b.pdf">a</a>'),
        (f"![a](/uploads/{SECRET}/b.pdf)", '<a href="/downloads/p/v/b.pdf">a</a>'),
        (f"![a](/uploads/{SECRET[::-1]}/ä.png)", "a"),
        (f"![a](/uploads/{SECRET}/../ä.png)", "a"),
    ],
)
def test_uploads_are_files_and_images_of_the_portal(source, html):
    assert notes.render(source, UPLOADS) == f"<p>{html}</p>\n"


SUMMARY = "<details>\n<summary>{}</summary>\n"


@pytest.mark.parametrize(
    ("source", "html"),
    [
        ("<details>\n<summary>a *b*</summary>\n\n- c\n\n</details>\nd",
         SUMMARY.format("a <em>b</em>") + "<ul>\n<li>c</li>\n</ul>\n</details>\n<p>d</p>\n"),
        ("a\n<details open><summary>\nb\n</summary>\nc\n</details>",
         '<p>a</p>\n<details open="">\n<summary>b</summary>\n<p>c</p>\n</details>\n'),
        ("<details><summary>a</summary>b</details>",
         SUMMARY.format("a") + "<p>b</p>\n</details>\n"),
        ("<details>\n<details>\n\na\n</details>\n</details>",
         SUMMARY.format("Details") * 2 + "<p>a</p>\n</details>\n</details>\n"),
        ("<details>\n<summary><script>x</script></summary>\n</details>",
         SUMMARY.format("&lt;script&gt;x&lt;/script&gt;") + "</details>\n"),
        ("<details>\na", "<p>&lt;details&gt;\na</p>\n"),
        ("<details onclick=x>\n</details>",
         "<p>&lt;details onclick=x&gt;\n&lt;/details&gt;</p>\n"),
        ("```\n<details>\n```\n</details>",
         "<pre><code>&lt;details&gt;\n</code></pre>\n<p>&lt;/details&gt;</p>\n"),
    ],
)  # fmt: skip
def test_details(source, html):
    assert notes.render(source) == html


def test_footnotes_of_two_releases_on_one_page_are_apart():
    source = "a[^n] b[^none]\n\n[^n]: c <b> [d](javascript:x)"
    one, other = (notes.render(source, anchor=f"release-{n}") for n in "12")
    assert '<li id="fn-release-1-1" class="footnote-item"><p>c &lt;b&gt; d ' in one
    assert '<a href="#fn-release-1-1" id="fnref-release-1-1">[1]</a></sup> b[^none]' in one
    assert not set(re.findall(r'id="(.*?)"', one)) & set(re.findall(r'id="(.*?)"', other))


@pytest.mark.parametrize("piece", ["<details>\n", "<details><summary>", "[^1]", "[^1]: a\n\n"])
def test_hostile_repetition_takes_no_time(piece):
    began = time.process_time()
    notes.render(piece * (notes.LENGTH // len(piece)))
    assert time.process_time() - began < 5
