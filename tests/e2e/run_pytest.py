"""Runs pytest on one file, or says which Debian packages are missing.

usage: python3 run_pytest.py FILE
"""

import importlib
import os
import sys

PACKAGE_OF = {
    "pytest": "python3-pytest",
    "grpc": "python3-grpcio",
    "google.protobuf": "python3-protobuf",
    "hpack": "python3-hpack",
}


def missing_packages():
    for module, package in PACKAGE_OF.items():
        try:
            importlib.import_module(module)
        except ImportError:
            yield package


def main():
    missing = list(missing_packages())
    if missing:
        packages = " ".join(missing)
        sys.exit(f"{sys.executable} lacks what the tests need: apt-get install {packages}")
    # The tests fork servers while gRPC has threads. The forked child only execs, so gRPC need not
    # prepare for the fork.
    os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"
    import pytest

    sys.exit(
        pytest.main(
            ["-p", "no:cacheprovider", "-p", "ferrite_fixtures", "-q", "--no-header", *sys.argv[1:]]
        )
    )


if __name__ == "__main__":
    main()
