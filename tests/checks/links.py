#!/usr/bin/env python3
"""usage: links.py ROOT        what pages of the checkout link to is there, and docs/main_page.md leads to every page of docs/
       links.py --site HTML   what pages of a site made by doxygen link to is there, places on pages as well"""
import html.parser
import pathlib
import re
import sys
import urllib.parse

LINK = re.compile(r"\]\(\s*<?([^)\s>]+)|<(?:a|img)\s[^>]*?(?:href|src)=\"([^\"]+)\"")


def is_local(target):
    return not re.match(r"[a-z][a-z+.-]*:", target)


def of_checkout(root):
    """Dead links, and pages of docs/ to which no way leads from docs/main_page.md."""
    links = {}
    for page in sorted(root.rglob("*.md")):
        if any(part.startswith((".", "build")) or part == "runs" for part in page.relative_to(root).parts[:-1]):
            continue
        text = re.sub(r"^```.*?^```|`[^`\n]*`", lambda code: "\n" * code[0].count("\n"),
                      page.read_text(encoding="utf-8"), flags=re.M | re.S)
        links[page] = set()
        for found in LINK.finditer(text):
            target = (found[1] or found[2]).split("#")[0]
            if not target or not is_local(target):
                continue
            there = (page.parent / urllib.parse.unquote(target)).resolve()
            links[page].add(there)
            if not there.exists():
                yield f"{page.relative_to(root)}:{text[:found.start()].count(chr(10)) + 1}: no {target}"
    reached, ahead = set(), [root / "docs/main_page.md"]
    while ahead:
        page = ahead.pop()
        if page in links and page not in reached:
            reached.add(page)
            ahead.extend(links[page])
    for page in links:
        if (root / "docs") in page.parents and page not in reached:
            yield f"docs/main_page.md: no way leads to {page.relative_to(root)}"


class Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.places, self.targets = set(), set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.places.update(attrs[name] for name in ("id", "name") if attrs.get(name))
        self.targets.update(attrs[name] for name in ("href", "src") if attrs.get(name))


def of_site(folder):
    pages = {path.name: Page(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.html"))}
    if "index.html" not in pages:
        yield f"{folder}: no index.html"
    for name, page in pages.items():
        for target in sorted(page.targets):
            file, _, place = urllib.parse.unquote(target).partition("#")
            if not is_local(target):
                continue
            if file and not (folder / file).exists():
                yield f"{name}: no {file}"
            elif place and (file or name) in pages and place not in pages[file or name].places:
                yield f"{name}: no place {place} in {file or name}"


def main():
    site = sys.argv[1] == "--site"
    found = list(of_site(pathlib.Path(sys.argv[2])) if site else of_checkout(pathlib.Path(sys.argv[1]).resolve()))
    print("\n".join(found) if found else "no dead links")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
