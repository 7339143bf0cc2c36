#!/usr/bin/env python3
"""No two classes of the repository share a qualified name, as a test.

Two classes of one name in two libraries are one class to the linker, which takes the functions of either. Standard
library only: tests/repo/test_names.py runs anywhere.
"""

import collections
import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ("base", "proto", "store", "server", "client", "bench")

# What may stand where code would not: comments, character and string literals (raw ones too).
NOT_CODE = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<delimiter>[^(\s]*)\(.*?\)(?P=delimiter)"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])*\'', re.DOTALL
)
NAMESPACE = re.compile(r"(?:inline\s+)?namespace\b\s*(?P<name>[\w:]*)\s*$")
# The head of a definition, up to its brace: attributes, name, base classes. Specializations have a name of their own.
TYPE = re.compile(
    r"(?:^|[;}>]|\s)(?:class|struct|union|enum(?:\s+(?:class|struct))?)\s+"
    r"(?:\[\[[^\]]*\]\]\s*|alignas\([^)]*\)\s*|[A-Z]{2}[A-Z_]*(?:\([^)]*\))?\s+)*"
    r"(?P<name>(?!final\b)[A-Za-z_]\w*(?:::\w+)*)(?:\s+final)?\s*(?::(?!:)[^{]*)?$"
)


def types(source):
    """The qualified names of the types that are defined at the level of a named namespace."""
    code = NOT_CODE.sub(lambda match: " " if match[0].startswith("/") else '""', source)
    code = re.sub(r"^\s*#.*(?:\\\n.*)*$", "", code, flags=re.MULTILINE)
    scopes = []  # the name of each namespace that is open; None for any other brace
    head = 0
    for match in re.finditer(r"[{};]", code):
        if match[0] == "{":
            before = code[head : match.start()]
            namespace = NAMESPACE.search(before)
            definition = TYPE.search(before)
            if definition and all(scopes):
                yield "::".join([*scopes, definition["name"]])
            scopes.append(namespace["name"] or None if namespace else None)
        elif match[0] == "}" and scopes:
            scopes.pop()
        head = match.end()


def sources():
    return [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*")) if path.suffix in (".h", ".cc")]


def complaints(places):
    """`places`: for each name the files that define it."""
    for name, files in sorted(places.items()):
        if len(files) > 1:
            yield f"{name} is defined in {' and in '.join(files)}; give one of them a telling name"


def places_of(files):
    """From (name of a file, its source)."""
    places = collections.defaultdict(list)
    for file, source in files:
        for name in dict.fromkeys(types(source)):  # once, also if each branch of an #if defines it
            places[name].append(file)
    return places


class Names(unittest.TestCase):
    maxDiff = None

    def test_no_two_types_share_a_qualified_name(self):
        places = places_of((path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")) for path in sources())
        self.assertGreater(len(places), 100)
        found = list(complaints(places))
        self.assertFalse(found, "\n" + "\n".join(found))


class Rule(unittest.TestCase):
    """The rule itself: what counts as a definition, and that a duplicate is found."""

    def expect_types(self, source, *names):
        self.assertEqual(list(types(source)), list(names), source)

    def test_finds_definitions_of_every_kind(self):
        self.expect_types("namespace a { class B { int c; }; }", "a::B")
        self.expect_types("namespace a::b {\nstruct C final : public D<int>, private E {\n};\nenum F { kG };\n}", "a::b::C", "a::b::F")
        self.expect_types("namespace a {\ntemplate <typename T>\nclass B : C {};\nenum class D : uint8_t { kE };\n}", "a::B", "a::D")
        self.expect_types("namespace a { class ABSL_LOCKABLE B {}; class alignas(64) C {}; union [[x]] D {}; }", "a::B", "a::C", "a::D")
        self.expect_types("namespace a { struct B {} b; struct C {}; }", "a::B", "a::C")
        self.expect_types("namespace a { class B::C { }; }", "a::B::C")
        self.expect_types("class A {};", "A")

    def test_passes_over_what_is_none_or_has_a_namespace_of_its_own(self):
        self.expect_types("namespace a { class B; enum C : int; friend class D; }")
        self.expect_types("namespace a { namespace { class B {}; } }")
        self.expect_types("namespace a { void F() { struct B {}; } }")
        self.expect_types("namespace a { class B { struct C {}; enum D { kE }; }; }", "a::B")
        self.expect_types("namespace a { template <> struct B<int> {}; }")
        self.expect_types("namespace a { class B* F(class C c) { return b; } }")
        self.expect_types('namespace a { // class B {\n/* class C {}; */ const char* d = "class E {"; char f = \'{\'; }')
        self.expect_types('namespace a { const char* b = R"x(class C {)x"; int d = 1\'000\'000; class E {}; }', "a::E")
        self.expect_types("#define M class B {\nnamespace a { }")

    def test_a_name_that_two_files_define_is_complained_about(self):
        shared = "namespace a { class B {}; }"
        places = places_of([("x.h", shared), ("y.h", shared), ("z.h", "namespace b { class B {}; }")])
        self.assertEqual(list(complaints(places)), ["a::B is defined in x.h and in y.h; give one of them a telling name"])
        self.assertEqual(list(complaints(places_of([("x.h", shared + shared)]))), [])


if __name__ == "__main__":
    unittest.main()
