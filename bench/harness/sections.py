"""A benchmark of several sections, each of which can be measured anew while the results keep what
they say of the others.

A section is a module with TITLE, TARGETS (what has to be built), add_arguments(parser),
measure(build_dir, arguments), whose outcome goes to JSON; ratios(figures), markdown(figures) and,
if there is a picture, draw(figures, directory) need nothing else.
"""

import argparse
import json
import sys

from harness import arguments as command_line
from harness import build, machine, report


class Benchmark:
    """Its results are NAME.json and NAME.md."""

    def __init__(self, name, sections, *, title, versions, legend, last=(), operands=""):
        self.name = name
        self.sections = sections  # {name: module}
        self.title = title
        self.versions = versions  # a function that tells {program: version}
        self.legend = legend  # whether more or less is better
        self.last = last  # names of the ratios that come last, in this order
        # What the command line needs on every machine, with placeholders for what differs.
        self.command = f"./dev bench {name} {operands}".rstrip()

    def parse_arguments(self, description, add_arguments=lambda parser: None):
        """`add_arguments` adds options that belong to no section."""
        parser = command_line.parser(description)
        add_arguments(parser)
        parser.add_argument(
            "--only",
            type=self._section_names,
            default=[*self.sections],
            metavar="SECTION,...",
            help=f"of {', '.join(self.sections)}; the results keep the earlier figures of the others",
        )
        for section in self.sections.values():
            section.add_arguments(parser)
        return command_line.parse(parser)

    def build(self, arguments):
        """Builds what the sections asked for run, unless told not to."""
        if arguments.no_build:
            return
        targets = {target for name in arguments.only for target in self.sections[name].TARGETS}
        build.targets(arguments.build_dir, *sorted(targets))

    def run(self, arguments):
        """Measures the sections asked for, keeps the results, prints and returns them."""
        measured = self._measure(arguments)
        # A trial says nothing of what was measured in other ways.
        known = measured if arguments.changes else self._earlier(arguments.results) | measured
        sections = {name: known[name] for name in self.sections if name in known}
        ratios = self._ratios(sections)
        command = command_line.repeating(self.command, arguments)
        figures = {"command": command, "sections": sections, "ratios": ratios}
        text = self._markdown(command, sections, ratios)
        report.save(arguments.results, self.name, figures, text)
        for name, section in measured.items():
            if hasattr(self.sections[name], "draw"):
                self.sections[name].draw(section["figures"], arguments.results)
            print(self._section_markdown(name, section))
        print(self.legend)
        report.print_ratios(self._ratios(measured))
        return measured

    def _section_names(self, text):
        names = text.split(",")
        for name in names:
            if name not in self.sections:
                raise argparse.ArgumentTypeError(
                    f"no section {name!r}; there is {', '.join(self.sections)}"
                )
        return [name for name in self.sections if name in names]

    def _measure(self, arguments):
        """{name: {"machine", "versions", "figures", "ratios"}} of the sections asked for."""
        measured = {}
        for name in arguments.only:
            where = machine.describe()
            print(f"measuring {name}", file=sys.stderr)
            figures = self.sections[name].measure(arguments.build_dir, arguments)
            # As read back from JSON, so that a later run can write of it again.
            figures = json.loads(json.dumps(figures))
            measured[name] = {
                "machine": where,
                "versions": self.versions(),
                "figures": figures,
                "ratios": self.sections[name].ratios(figures),
            }
        return measured

    def _earlier(self, results):
        """What an earlier run left, if it was of this kind."""
        path = results / f"{self.name}.json"
        if not path.exists():
            return {}
        return json.loads(path.read_text(encoding="utf-8")).get("sections", {})

    def _ratios(self, sections):
        found = {}
        for section in sections.values():
            found |= section["ratios"]
        for name in self.last:
            if name in found:
                found[name] = found.pop(name)
        return found

    def _section_markdown(self, name, section):
        return f"""## {self.sections[name].TITLE}

{machine.sentence(section["machine"])}
{"; ".join(section["versions"].values())}.

{self.sections[name].markdown(section["figures"])}
"""

    def _markdown(self, command, sections, ratios):
        bodies = "\n".join(self._section_markdown(*each) for each in sections.items())
        return f"""# {self.title}

Written by `{command}`, which repeats it.

{bodies}
## Ratios

{self.legend}

{report.ratio_lines(ratios)}
"""
