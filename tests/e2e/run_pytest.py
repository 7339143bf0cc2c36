"""Runs pytest on files, or says which Debian packages are missing.

usage: python3 run_pytest.py FILE...

The exit code is 77 if every test was skipped, which ctest is told to report as such.
"""

import importlib
import os
import sys

PACKAGE_OF = {
    "pytest": "python3-pytest",
    "grpc": "python3-grpcio",
    "google.protobuf": "python3-protobuf",
    "hpack": "python3-hpack",
    "pexpect": "python3-pexpect",
}


def missing_packages():
    for module, package in PACKAGE_OF.items():
        try:
            importlib.import_module(module)
        except ImportError:
            yield package


class Outcomes:
    """A pytest plugin that remembers whether anything but skipping happened."""

    def __init__(self):
        self.skipped = 0
        self.others = 0

    def pytest_runtest_logreport(self, report):
        if report.skipped:
            self.skipped += 1
        elif report.when == "call" or report.failed:
            self.others += 1


def main():
    missing = list(missing_packages())
    if missing:
        packages = " ".join(missing)
        sys.exit(f"{sys.executable} lacks what the tests need: apt-get install {packages}")
    # The tests fork servers while gRPC has threads. The forked child only execs, so gRPC need not
    # prepare for the fork.
    os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"
    import pytest

    outcomes = Outcomes()
    options = ["-p", "no:cacheprovider", "-p", "ferrite_fixtures", "-q", "--no-header", "-rs"]
    code = pytest.main([*options, *sys.argv[1:]], plugins=[outcomes])
    sys.exit(77 if code == 0 and outcomes.skipped and not outcomes.others else code)


if __name__ == "__main__":
    main()
