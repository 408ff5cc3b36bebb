#!/usr/bin/env python3
"""Reports of real runs in a real browser: nothing loaded from elsewhere, no error, marks where they can
be seen, nothing cut off or on top of each other, wide and narrow, light and dark.

SVRG_PICTURES=docs/pictures writes the pictures of the documentation, too."""
import base64
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from harness import DIGITS, DIGITS_TEST, ROOT, WDBC, Case, main
from report_page import comparison, study

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PICTURES = os.environ.get("SVRG_PICTURES")
LOOK = """(() => {
  const problems = [], page = document.documentElement;
  if (page.scrollWidth > window.innerWidth + 1)
    problems.push(`the page is ${page.scrollWidth} wide in ${window.innerWidth}`);
  for (const box of document.querySelectorAll('figure, .block, .verdict'))
    if (box.scrollWidth > box.clientWidth + 1) problems.push(`${box.id || box.className} is too narrow`);
  for (const figure of document.querySelectorAll('figure')) {
    let marks = 0;
    for (const mark of figure.querySelectorAll('.pictures .line, .pictures .mark, .pictures .bar, .pictures .cell')) {
      const box = mark.getBBox();
      if (![box.x, box.y, box.width, box.height].every(Number.isFinite)) problems.push(`${figure.id}: no place`);
      if (box.width > 0 || box.height > 0) ++marks;
    }
    if (!marks) problems.push(`${figure.id}: nothing to be seen`);
    for (const svg of figure.querySelectorAll('.pictures svg')) {
      const room = svg.getBoundingClientRect(), texts = [...svg.querySelectorAll('text')];
      const boxes = texts.map(text => text.getBoundingClientRect());
      boxes.forEach((a, i) => {
        if (a.width === 0) return;
        const name = `${figure.id}: "${texts[i].textContent}"`;
        if (a.left < room.left - 1 || a.right > room.right + 1 || a.top < room.top - 1 || a.bottom > room.bottom + 1)
          problems.push(`${name} is cut off`);
        for (let j = 0; j < i; ++j) {
          const b = boxes[j], wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
          const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
          if (b.width > 0 && wide > 1.5 && high > 4) problems.push(`${name} on "${texts[j].textContent}"`);
        }
      });
    }
  }
  const colour = (what, of) => getComputedStyle(document.querySelector(what))[of];
  return JSON.stringify({problems, figures: document.querySelectorAll('figure').length,
    ground: colour('body', 'backgroundColor'), ink: colour('body', 'color'),
    line: colour('.line, .bar', 'stroke'), height: page.scrollHeight});
})()"""


class Browser:
    """Chromium by its own protocol, over a pipe: no library, no port."""

    def __init__(self):
        self.profile = tempfile.TemporaryDirectory(prefix="svrg-browser-")
        to_read, self.write = os.pipe()
        self.read, to_write = os.pipe()

        def at_3_and_4():
            a, b = os.dup(to_read), os.dup(to_write)
            os.dup2(a, 3)
            os.dup2(b, 4)

        self.process = subprocess.Popen(
            [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--hide-scrollbars",
             f"--user-data-dir={self.profile.name}", "--remote-debugging-pipe", "about:blank"],
            preexec_fn=at_3_and_4, close_fds=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(to_write)
        self.rest, self.count, self.events, self.session = b"", 0, [], None
        target = self("Target.createTarget", url="about:blank")["targetId"]
        self.session = self("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for part in "Page", "Runtime", "Log", "Network":
            self(f"{part}.enable")

    def receive(self):
        while b"\0" not in self.rest:
            piece = os.read(self.read, 1 << 20)
            if not piece:
                raise AssertionError("the browser has gone")
            self.rest += piece
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def __call__(self, method, **parameters):
        self.count += 1
        message = {"id": self.count, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") == self.count:
                if "error" in answer:
                    raise AssertionError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def open(self, path, width, dark=False):
        """What there is to see, and all that the page asked for or complained of."""
        self.events = []
        self("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        self("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme",
                                                      "value": "dark" if dark else "light"}])
        self("Page.navigate", url=path.as_uri())
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self.receive())
        looked = self("Runtime.evaluate", expression=LOOK, returnByValue=True)
        seen = json.loads(looked["result"]["value"])
        seen["asked"] = [event["params"]["request"]["url"] for event in self.events
                         if event.get("method") == "Network.requestWillBeSent"]
        seen["complaints"] = [event["params"] for event in self.events if event.get("method") in
                              ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled")]
        return seen

    def picture(self, name, height, top=0, width=1200):
        shot = self("Page.captureScreenshot", format="png", captureBeyondViewport=True,
                    clip={"x": 0, "y": top, "width": width, "height": height, "scale": 1})
        path = pathlib.Path(PICTURES) / f"{name}.png"
        path.write_bytes(base64.b64decode(shot["data"]))

    def top_of(self, place):
        where = self("Runtime.evaluate", returnByValue=True, expression=
                     f"document.querySelector('{place}').getBoundingClientRect().top + window.scrollY - 14")
        return where["result"]["value"]

    def close(self):
        self.process.terminate()
        self.process.wait()
        os.close(self.write)
        os.close(self.read)
        shutil.rmtree(self.profile.name, ignore_errors=True)
        self.profile._finalizer.detach()


class Reports(Case):
    @classmethod
    def setUpClass(cls):
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.close)

    def looks_good(self, name, *paths):
        page = self.folder / f"{name}.html"
        self.succeeds("report", *paths, "-o", page)
        looks = {}
        for width in 400, 1200:
            for dark in False, True:
                seen = looks[width, dark] = self.browser.open(page, width, dark)
                where = f"{name}, {width} px, {'dark' if dark else 'light'}"
                self.assertEqual(seen["problems"], [], where)
                self.assertEqual(seen["complaints"], [], where)
                self.assertEqual([url for url in seen["asked"] if url != page.as_uri()
                                  and not url.startswith("data:")], [], where)
                self.assertGreater(seen["figures"], 3)
        for part in "ground", "ink", "line":
            self.assertNotEqual(looks[1200, False][part], looks[1200, True][part], part)
        self.assertGreater(looks[400, False]["height"], looks[1200, False]["height"], "one column, not two")
        return page

    def test_what_is_wrong_with_a_page_is_found(self):
        page = self.folder / "bad.html"
        svg = '<svg viewBox="0 0 100 50" width="300"><text x="{}" y="20">some words</text>{}</svg>'
        page.write_text('<!doctype html><style>body{color:red}</style><img src="http://localhost:1/x.png">'
                        '<div style="width:3000px">wide</div><script>console.error("no")</script>'
                        f'<figure id="cut"><div class="pictures">{svg.format(80, "")}</div></figure>'
                        f'<figure id="over"><div class="pictures">'
                        f'{svg.format(2, "<text x=8 y=22>others</text><path class=line d=M0,0L9,9 />")}'
                        '</div></figure>')
        seen = self.browser.open(page, 400)
        problems = "; ".join(seen["problems"])
        for text in ("wide in 400", "cut: nothing to be seen", '"some words" is cut off', 'over: "others" on "some words"'):
            self.assertIn(text, problems)
        self.assertNotIn("over: nothing", problems)
        self.assertTrue(seen["complaints"])
        self.assertIn("http://localhost:1/x.png", seen["asked"])

    def test_a_run_of_two_classes(self):
        run, _ = self.train(str(ROOT / "apps/data/wdbc.csv"), "--label-column", "label", "--valid-fraction",
                            "0.25", "--standardize", "zscore", "--engine", "row", "-m", "acc,ce",
                            name="wdbc", ranks=2)
        page = self.looks_good("report", run)
        if PICTURES:
            self.browser.open(page, 1200)
            self.browser.picture("report-run", 1075)
            self.browser.picture("report-time", 560, self.browser.top_of("#time"))
            self.browser.picture("report-model", 1460, self.browser.top_of("#model"))
            self.browser.open(page, 400, dark=True)
            self.browser.picture("report-narrow", 900, width=400)

    def test_a_run_of_ten_classes_and_a_net(self):
        digits, _ = self.train(DIGITS, "--valid", DIGITS_TEST, name="digits")
        self.looks_good("digits", digits)
        net, _ = self.train(DIGITS, "--valid", DIGITS_TEST, "--model", "mlp", "-e", "4", name="net", ranks=2)
        self.looks_good("net", net)

    def test_a_comparison(self):
        page = self.looks_good("comparison", *comparison(self))
        if PICTURES:
            self.browser.open(page, 1200)
            self.browser.picture("report-comparison", 1420)

    def test_scaling_studies(self):
        self.looks_good("scaling", study(self, "simulated", WDBC, "--engine", "row", repeats=3))
        self.looks_good("weak", study(self, "weak", WDBC))


if __name__ == "__main__":
    if BROWSER is None:
        print("skipped: no chromium here; tests/run.sh --browser installs it")
        sys.exit(77)
    if not os.environ.get("SVRG_STUDY_OF_RUNS"):
        os.environ["SVRG_STUDY_OF_RUNS"] = str(ROOT / "build/bin/study_of_runs")
    main()
