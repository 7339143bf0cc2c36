#!/usr/bin/env python3
"""Checks the chart with the real Helm.

    tests/helm/test_chart.py            runs the tests
    tests/helm/test_chart.py --write    rewrites the golden renders and the table in the chart's README.md

A golden is the output of `helm template` for a file in values/. After a change to the chart, rewrite them and read the
difference: it is what an upgrade changes in a cluster.
"""

import json
import pathlib
import re
import sys
import tempfile
import unittest

import chart

VALUES = sorted((chart.HERE / "values").glob("*.yaml"))
REFUSED = sorted((chart.HERE / "refused").glob("*.yaml"))
README = chart.CHART / "README.md"
TABLE_START, TABLE_END = "<!-- values: start -->\n", "<!-- values: end -->\n"


def golden(values):
    return chart.HERE / "golden" / values.name


class Chart(unittest.TestCase):
    maxDiff = None

    def test_lint_has_no_complaints(self):
        for values in VALUES:
            with self.subTest(values.name):
                done = chart.run("helm", "lint", "--strict", chart.CHART, "--values", values)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_renders_are_the_goldens(self):
        for values in VALUES:
            with self.subTest(values.name):
                self.assertEqual(golden(values).read_text(encoding="utf-8"), chart.render(values),
                                 "if this is intended: tests/helm/test_chart.py --write")

    def test_every_golden_has_its_values(self):
        goldens = sorted(path.name for path in (chart.HERE / "golden").iterdir())
        self.assertEqual(goldens, [path.name for path in VALUES])

    def test_kubernetes_knows_every_field(self):
        for values in VALUES:
            with self.subTest(values.name):
                done = chart.run("strict_manifests", stdin=chart.render(values))
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn("StatefulSet", done.stdout.split())

    def test_kubernetes_check_refuses_an_unknown_field(self):
        render = chart.render(VALUES[0])
        misspelt = render.replace("readOnlyRootFilesystem", "readOnlyRootFileSystem")
        self.assertNotEqual(render, misspelt)
        done = chart.run("strict_manifests", stdin=misspelt)
        self.assertEqual(done.returncode, 1)
        self.assertIn("readOnlyRootFileSystem", done.stderr)

    def test_schema_refuses_bad_values(self):
        for values in REFUSED:
            with self.subTest(values.name):
                expected = values.read_text(encoding="utf-8").splitlines()[0].removeprefix("# refused: ")
                done = chart.template(values)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(expected, done.stderr)

    def test_the_server_accepts_its_arguments(self):
        for values in VALUES:
            with self.subTest(values.name):
                manifests = chart.render(values)
                self.assertEqual(chart.start_server(chart.server_arguments(manifests), manifests), "ready")

    def test_the_values_in_the_documents_render_and_serve(self):
        text = (chart.ROOT / "docs" / "security.md").read_text(encoding="utf-8")
        examples = re.findall(r"^<!-- values -->\n```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        self.assertTrue(examples)
        for example in examples:
            with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as file:
                file.write(example)
                file.flush()
                manifests = chart.render(pathlib.Path(file.name))
            self.assertEqual(chart.start_server(chart.server_arguments(manifests), manifests), "ready")

    def test_notes_warn_of_what_is_insecure(self):
        for values, warns in (("defaults", True), ("secure", False)):
            notes = chart.notes(chart.HERE / "values" / f"{values}.yaml")
            self.assertEqual("WARNING: it is insecure (--insecure)" in notes, warns, notes)

    def test_the_server_complains_about_an_unknown_argument(self):
        self.assertIn("no-such-flag", chart.start_server(["--no-such-flag=1"]))

    def test_values_schema_and_comments_agree(self):
        schema = json.loads((chart.CHART / "values.schema.json").read_text(encoding="utf-8"))
        # `global` belongs to Helm.
        self.assertEqual({path for path in chart.leaves(schema) if path != "global"},
                         {path for path, _, _ in chart.documented_values()})

    def test_readme_lists_the_values(self):
        self.assertIn(chart.readme_table(), README.read_text(encoding="utf-8"),
                      "tests/helm/test_chart.py --write mends this")


def write():
    for path in (chart.HERE / "golden").iterdir():
        path.unlink()
    for values in VALUES:
        golden(values).write_text(chart.render(values), encoding="utf-8")
    before, rest = README.read_text(encoding="utf-8").split(TABLE_START)
    after = rest.split(TABLE_END)[1]
    README.write_text(before + TABLE_START + chart.readme_table() + TABLE_END + after, encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        write()
    else:
        unittest.main()
