"""The HTML report in a real browser (Debian's chromium, headless): it fits a phone, it is quiet, and
nothing that a model wrote runs. Skipped where there is no chromium."""

import base64
import functools
import http.server
import json
import os
import re
import shutil
import subprocess
import threading
import unittest

import support
from test_report import HOSTILE

CHROMIUM = shutil.which(os.environ.get("CHROMIUM", "chromium"))

# Measures the page in a frame of a given width and leaves the figures as JSON in a <pre>.
PROBE = """<!DOCTYPE html><meta charset="utf-8"><body><iframe src="report.html" style="border:0;width:%dpx;height:900px"></iframe>
<script>
onload = () => {
  const page = document.querySelector("iframe").contentWindow, doc = page.document;
  if (%s) for (const one of doc.querySelectorAll("details")) one.open = true;
  const root = doc.documentElement, width = root.clientWidth;
  const name = e => e.tagName + "." + e.getAttribute("class") + ": " + e.textContent.slice(0, 60);
  const inScroll = e => e.closest(".scroll");
  const all = [...doc.body.querySelectorAll("*")];
  const outside = all.filter(e => { const r = e.getBoundingClientRect();
    return r.width > 0 && !inScroll(e) && (r.right > width + 1 || r.left < -1); }).map(name);
  const covered = [];
  for (const plot of doc.querySelectorAll(".plot")) {
    const labels = [...plot.querySelectorAll("span.x,span.mark")].map(e => [e, e.getBoundingClientRect()]).filter(p => p[1].width > 0);
    for (const [a, r] of labels) for (const [b, s] of labels)
      if (a !== b && a.className[0] === b.className[0] && r.left < s.right - 1 && s.left < r.right - 1 && r.top < s.bottom && s.top < r.bottom) covered.push(name(a));
  }
  const squeezed = all.filter(e => (e.tagName === "TD" || e.tagName === "TH") && e.clientWidth > 0 && e.clientWidth < 60 &&
    e.clientHeight > 100 && e.textContent.length > 4).map(name);
  const text = e => doc.querySelector(e) ? doc.querySelector(e).textContent : null;
  const result = {scroll: root.scrollWidth, width, outside, covered, squeezed, title: doc.title, heading: text("h1 bdi"),
    foreign: doc.querySelectorAll("script,img,iframe,object,embed,link,[onerror],[onload],[src]").length,
    charts: doc.querySelectorAll("svg[role=img][aria-label]").length, svgs: doc.querySelectorAll("svg").length,
    answers: [...doc.querySelectorAll("pre")].map(e => e.textContent), pwned: String(window.pwned) + String(page.pwned),
    background: page.getComputedStyle(doc.body).backgroundColor, color: page.getComputedStyle(doc.body).color,
    anchors: [...doc.querySelectorAll("nav a")].every(a => doc.querySelector(a.getAttribute("href")))};
  const out = document.createElement("pre");
  out.id = "result";
  out.textContent = btoa(unescape(encodeURIComponent(JSON.stringify(result))));
  document.body.append(out);
};
</script></body>"""


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_arguments):
        pass


@unittest.skipUnless(CHROMIUM, "no chromium")
class Browser(support.Case):
    def setUp(self):
        super().setUp()
        handler = functools.partial(QuietHandler, directory=self.dir)
        self.pages = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self.pages.serve_forever, daemon=True).start()
        self.addCleanup(self.pages.server_close)
        self.addCleanup(self.pages.shutdown)

    def look(self, width=360, open_details=True, dark=False):
        """What the probe measured; fails when the console was not silent."""
        self.call("report", self.database(), "-o", "report.html", code=0)
        self.write("probe.html", PROBE % (width, "true" if open_details else "false"))
        # Preferred colour scheme: 0 dark, 1 light.
        done = subprocess.run(
            [CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--disable-background-networking", "--user-data-dir=" + self.path("profile"), "--window-size=1400,1000",
             "--blink-settings=preferredColorScheme=%d" % (0 if dark else 1), "--enable-logging=stderr",
             "--virtual-time-budget=10000", "--dump-dom",
             "http://127.0.0.1:%d/probe.html" % self.pages.server_address[1]],
            env=self.env, cwd=self.dir, capture_output=True, check=False, timeout=90 * support.PATIENCE)
        console = [line for line in done.stderr.decode(errors="replace").splitlines() if "CONSOLE" in line]
        self.assertEqual(console, [], "the console must be silent")
        found = re.search(rb'<pre id="result">([^<]*)</pre>', done.stdout)
        self.assertTrue(found, done.stdout[-500:] + done.stderr[-2000:])
        return json.loads(base64.b64decode(found.group(1)))

    def assert_fits(self, seen):
        self.assertLessEqual(seen["scroll"], seen["width"], "no scrolling sideways")
        self.assertEqual(seen["outside"], [])
        self.assertEqual(seen["covered"], [], "labels must not cover each other")
        self.assertEqual(seen["squeezed"], [], "no column of single letters")
        self.assertEqual(seen["charts"], seen["svgs"])
        self.assertTrue(seen["anchors"])

    def busy(self):
        simulator = self.simulate("--latency", "lognormal:10ms:50ms", "--errors", "429=5%,500=5%,reset=2%")
        items = [{"id": "a-rather-long-identifier-without-any-space-%d-%s" % (i, "x" * 80), "prompt": text}
                 for i, text in enumerate(["[[sim:400]] a", "[[sim:filter]] b", "[[sim:length]] c " + "word " * 300,
                                           "[[sim:notjson]] d"] + ["say %d" % i for i in range(400)])]
        self.write("items.jsonl", "".join(json.dumps(item) + "\n" for item in items) + "no json " + "y" * 3000 + "\n")
        self.run_file(simulator, "--max-error-rate", "100%", "--rpm", "60000", "--store-input", code=3,
                      model="accounts/fireworks/models/a-model-with-a-very-long-name-indeed")
        for run, days in ((1, 9), (2, 6), (3, 2)):
            support.change(self.database(), "update attempts set started_ms = started_ms - 86400000 * ? where id %% 4 = %d"
                           % run, days)
            support.change(self.database(), "update items set finished_ms = finished_ms - 86400000 * ? where seq %% 4 = %d"
                           % run, days)
        support.change(self.database(), "update attempts set cost_pico = input_tokens * 123457 + 10000")

    def judge(self):
        """One good and one bad verdict, as a reviewer with a spreadsheet gives them."""
        self.call("review", "--export", "sheet.jsonl", "--sample", "20", code=0)
        with open(self.path("sheet.jsonl")) as file:
            rows = [json.loads(line) for line in file]
        for number, row in enumerate(rows):
            row["verdict"], row["note"] = ("bad", "no " * 40) if number == 0 else ("good", "")
        self.write_items("sheet.jsonl", rows)
        self.call("review", "--import", "sheet.jsonl", code=0)

    def test_fits_a_phone_and_a_desk(self):
        self.busy()
        self.judge()
        for width in (320, 360, 768, 1200):
            with self.subTest(width=width):
                seen = self.look(width)
                self.assert_fits(seen)
                self.assertGreaterEqual(seen["charts"], 8)
        self.assert_fits(self.look(360, open_details=False))

    def test_light_and_dark(self):
        self.busy()
        light, dark = self.look(1200), self.look(1200, dark=True)
        self.assertEqual(light["background"], "rgb(255, 255, 255)")
        self.assertNotEqual(light["background"], dark["background"])
        self.assertNotEqual(light["color"], dark["color"])

    def test_an_empty_and_a_small_job(self):
        self.write("items.jsonl", "")
        self.run_file(self.simulate(), code=0)
        self.assert_fits(self.look())
        self.prompts(1)
        self.run_file(self.simulate(name="second"), code=0)
        self.assert_fits(self.look())

    def test_nothing_hostile_runs(self):
        def handler(_request, connection):
            connection.sendall(support.reply(support.completion(choices=[{
                "index": 0, "finish_reason": "length", "message": {"role": "assistant", "content": HOSTILE}}])))
            return True

        self.write("items.jsonl", json.dumps({"id": HOSTILE, "prompt": HOSTILE}) + "\n")
        self.run_file(self.server(handler), "--max-error-rate", "100%", "--store-input", code=3)
        seen = self.look()
        self.assert_fits(seen)
        self.assertEqual(seen["pwned"], "undefinedundefined")
        self.assertEqual(seen["foreign"], 0)
        self.assertEqual(seen["heading"], "items.jsonl")
        self.assertEqual(seen["title"], "items.jsonl - llmbatch report")
        shown = HOSTILE.replace("\u202e", "\ufffd").replace("\x00", "\ufffd").replace("\x1b", "\ufffd")
        self.assertIn(shown, seen["answers"], "the answer is shown as text, whole")


if __name__ == "__main__":
    support.main()
