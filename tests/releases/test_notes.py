"""Release notes, friendly and hostile."""

import re

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
