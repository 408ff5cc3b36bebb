"""What the tests of the report look at: its HTML, parsed, and the runs that they make reports of."""
import html.parser
import re
import subprocess
import xml.etree.ElementTree
from os import environ

from harness import WDBC, WDBC_TEST, environment

VOID = {"meta", "link", "br", "hr", "img", "input"}
NO_NUMBER = re.compile(r"""(?<![a-z])(?:-?nan|-?inf|infinity)(?![a-z])""", re.I)


class Page(html.parser.HTMLParser):
    """Tags in order, with an error where one is closed that was not opened last."""

    def __init__(self, text):
        super().__init__()
        self.text, self.open, self.ids, self.errors = text, [], [], []
        self.feed(text)
        self.close()
        if self.open:
            self.errors.append(f"never closed: {self.open}")
        self.svgs = re.findall(r"<svg.*?</svg>", text, re.S)
        self.figures = dict(re.findall(r'<figure id="([^"]+)"[^>]*>(.*?)</figure>', text, re.S))

    def handle_starttag(self, tag, attrs):
        self.look(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.look(tag, attrs)

    def look(self, tag, attrs):
        """Nothing may come from elsewhere, or do anything."""
        self.ids += [value for name, value in attrs if name == "id"]
        if tag in ("script", "iframe", "object", "embed", "img", "base", "form"):
            self.errors.append(f"<{tag}> at {self.getpos()}")
        for name, value in attrs:
            if name.startswith("on") or (name in ("href", "src", "xlink:href") and value[:1] != "#"
                                         and not value.startswith("data:")):
                self.errors.append(f"{tag} {name}={value}")

    def handle_data(self, data):
        if self.open and self.open[-1] == "style" and re.search(r"@import|url\((?!#)", data):
            self.errors.append("the style loads something")

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.errors.append(f"</{tag}> at {self.getpos()}")

    def words(self):
        """The text between tags."""
        return html.unescape(re.sub(r"<[^>]+>", " ", re.sub(r"<style>.*?</style>", "", self.text, flags=re.S)))


def check(case, text):
    """The laws of every page; returns it parsed."""
    page = Page(text)
    case.assertEqual(page.errors, [])
    case.assertEqual(sorted(set(page.ids)), sorted(page.ids), "an id twice")
    for svg in page.svgs:
        root = xml.etree.ElementTree.fromstring(svg)
        for element in root.iter():
            for name, value in element.attrib.items():
                if name not in ("class", "id", "aria-labelledby"):
                    case.assertIsNone(NO_NUMBER.search(value), f"{element.tag} {name}={value}")
        if root.get("role") == "img":
            case.assertTrue(root.findtext("title"))
            case.assertTrue(root.findtext("desc"))
    for name, figure in page.figures.items():
        drawn = re.findall(r'class="(?:line|mark|bar|cell)[ "]', figure)
        case.assertTrue(drawn, f"{name} shows nothing")
        case.assertIn("data:text/csv", figure, f"{name} has no data")
    for place in re.findall(r'href="#([^"]+)"', text):
        case.assertIn(place, page.ids, "a link to nowhere")
    return page


def comparison(case):
    """Three methods on the same problem, one of them with three seeds."""
    runs = []
    for name, more in {"svrg": ["--algorithm", "svrg", "--passes", "60"],
                       "sgd": ["--algorithm", "sgd", "--passes", "60"],
                       **{f"local-{s}": ["--engine", "row", "--seed", s] for s in (1, 2, 3)}}.items():
        run, _ = case.train(WDBC, "--valid", WDBC_TEST, "-m", "acc,ce", *more, name=name, ranks=2)
        runs.append(run)
    return runs


def study(case, mode, data, *options, counts=(1, 2, 4), repeats=2):
    """A file of format svrg-bench of real runs."""
    runs = []
    for repeat in range(repeats):
        for ranks in counts:
            run, _ = case.train(data, *options, name=f"{mode}-{ranks}-{repeat}", ranks=ranks)
            runs.append(str(run))
    out = case.folder / f"{mode}.h5"
    subprocess.run([environ["SVRG_STUDY_OF_RUNS"], str(out), mode, *runs], check=True, env=environment())
    return out
