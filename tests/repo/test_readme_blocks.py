"""readme_blocks.py finds the examples of README.md and compares their output as documented."""

import pytest
import readme_blocks


def test_an_example_with_its_output():
    (block,) = readme_blocks.parse("# Title\n<!-- run: first -->\n```sh\necho a\necho b\n```\n\n```text\na\nb\n```\n")
    assert (block.line, block.language, block.name) == (3, "sh", "first")
    assert block.text == "echo a\necho b\n"
    assert block.expected == "a\nb\n"


def test_output_belongs_only_to_the_block_directly_above():
    first, second = readme_blocks.parse("<!-- run: a -->\n```sh\nx\n```\nThen:\n```text\ny\n```\n"
                                        "<!-- not run: it would install packages -->\n```sh\nz\n```\n")
    assert first.expected is None
    assert (second.name, second.reason) == (None, "it would install packages")


def test_blocks_in_other_languages_are_not_examples():
    assert readme_blocks.parse("```text\nx\n```\n```proto\ny\n```\n") == []


@pytest.mark.parametrize("text, complaint", [
    ("```sh\nx\n```\n", "README.md:1: put <!-- run"),
    ("<!-- run: a -->\n\n```sh\nx\n```\n", "README.md:3: put <!-- run"),
    ("<!-- run: a -->\n```c++\nx\n```\n", "nobody knows how to run"),
    ("<!-- run: a -->\n```sh\nx\n```\n<!-- run: a -->\n```sh\nx\n```\n", "already an example 'a'"),
    ("<!-- run: a -->\n```sh\nx\n", "never closed"),
])
def test_mistakes_are_reported(text, complaint):
    with pytest.raises(ValueError, match=complaint.replace("+", r"\+")):
        readme_blocks.parse(text)


@pytest.mark.parametrize("expected, printed, same", [
    ("a\nb\n", "a\nb\n", True),
    ("a\nb\n", "a \nb", True),
    ("a\nb\n", "a\nc\n", False),
    ("a\n", "a\nb\n", False),
    ("a\n...\nd\n", "a\nb\nc\nd\n", True),
    ("a\n...\n", "a\n", True),
    ("a\n...\nd\n", "a\nb\nc\n", False),
    ("(x) 1.5\n", "(x) 1.5\n", True),
])
def test_output_is_compared_line_by_line(expected, printed, same):
    assert readme_blocks.matches(expected, printed) is same
