"""Runs Helm on the chart, and makes the table of its values."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

from certificates import Authority  # noqa: E402

CHART = ROOT / "helm" / "ferrite"
HERE = pathlib.Path(__file__).resolve().parent
TOOLS = ROOT / ".cache" / "bin"
# A chart renders differently for each version of Kubernetes; the goldens are for this one.
KUBERNETES = "1.28.0"


def run(program, *arguments, stdin=None):
    """Runs a tool that ./dev test builds; returns the finished process."""
    path = TOOLS / program
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing; ./dev test builds it")
    # Helm must not see the settings, plugins and clusters of the person who runs the test.
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    return subprocess.run([path, *map(str, arguments)], input=stdin, env=environment, capture_output=True, text=True,
                          check=False)


def template(values):
    return run("helm", "template", "cache", CHART, "--namespace", "shop", "--kube-version", KUBERNETES, "--values", values)


def render(values):
    done = template(values)
    if done.returncode != 0:
        raise AssertionError(f"helm template failed with {values.name}:\n{done.stderr}")
    return done.stdout


def server_arguments(manifests):
    """The arguments with which the StatefulSet starts the server."""
    container = manifests.split("          args:\n")[1]
    return [argument.strip('"') for argument in re.findall(r'^            - "?(--.*)$', container, re.MULTILINE)]


NOTES_AS_MANIFEST = """apiVersion: v1
kind: ConfigMap
metadata: {name: notes}
data:
  notes: |
{{ tpl (.Files.Get "NOTES.copy") . | indent 4 }}
"""


def notes(values):
    """What `helm install` would print. Without a cluster Helm renders the notes of no chart, so they are made a manifest."""
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder) / "ferrite"
        shutil.copytree(CHART, copy)
        (copy / "templates" / "NOTES.txt").rename(copy / "NOTES.copy")
        (copy / "templates" / "notes.yaml").write_text(NOTES_AS_MANIFEST, encoding="utf-8")
        done = run("helm", "template", "cache", copy, "--namespace", "shop", "--kube-version", KUBERNETES, "--values", values,
                   "--show-only", "templates/notes.yaml")
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return yaml.safe_load(done.stdout)["data"]["notes"]


def fill_volumes(folder, manifests):
    """What Kubernetes would mount: a certificate, the policy of the manifests, and a token."""
    authority = Authority(folder / "authority")
    pair = authority.issue()
    for name in ("tls", "policy", "peer"):
        (folder / name).mkdir()
    shutil.copy(pair.certificate, folder / "tls" / "tls.crt")
    shutil.copy(pair.key, folder / "tls" / "tls.key")
    shutil.copy(authority.certificate, folder / "tls" / "ca.crt")
    (folder / "peer" / "token").write_text("t" * 40, encoding="utf-8")
    (folder / "policy" / "policy.yaml").write_text("roles: []\n", encoding="utf-8")
    for manifest in yaml.safe_load_all(manifests):
        if manifest and manifest["kind"] == "ConfigMap":
            for name, text in manifest["data"].items():
                (folder / "policy" / name).write_text(text, encoding="utf-8")


def start_server(arguments, manifests=""):
    """Starts the built server as the chart would, but on free ports, and stops it. Returns "ready" or its complaint."""
    with tempfile.TemporaryDirectory() as folder:
        fill_volumes(pathlib.Path(folder), manifests)
        # Kubernetes fills in these.
        arguments = [re.sub(r"\$\((POD_NAME|POD_NAMESPACE)\)", "cache-0", argument) for argument in arguments]
        arguments = [re.sub(r"=/etc/ferrite/", f"={folder}/", argument) for argument in arguments]
        arguments = [re.sub(r"^(--(http-)?listen)=\*:.*", r"\1=*:0", argument) for argument in arguments]
        return _start_server(arguments)


def _start_server(arguments):
    with subprocess.Popen([os.environ["FERRITE_SERVER_BINARY"], *arguments], env={"PATH": os.environ["PATH"]},
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        ready = server.stdout.readline().startswith("ferrite-server ready ")
        server.terminate()
        _, log = server.communicate()
    return "ready" if ready else log


def documented_values():
    """[(path, default, comment)] of values.yaml: the values that follow a comment starting with `# --`."""
    rows, parents, comment = [], [], None
    for line in (CHART / "values.yaml").read_text(encoding="utf-8").splitlines():
        text = line.strip()
        if text.startswith("# --"):
            comment = text[4:].strip()
        elif text.startswith("#") and comment is not None:
            comment += " " + text[1:].strip()
        elif match := re.match(r"( *)([A-Za-z]+):(?: (.*))?$", line):
            depth = len(match[1]) // 2
            parents[depth:] = [match[2]]
            if comment is not None:
                rows.append((".".join(parents), match[3], comment))
                comment = None
    return rows


def leaves(values, path=""):
    """The paths of a values object, as deep as the chart documents them according to the schema."""
    for name, schema in values["properties"].items():
        here = f"{path}.{name}" if path else name
        if "properties" in schema:
            yield from leaves(schema, here)
        else:
            yield here


def readme_table():
    rows = ["| value | default | what it does |", "|---|---|---|"]
    for path, default, comment in documented_values():
        rows.append(f"| `{path}` | {f'`{default}`' if default else 'see values.yaml'} | {comment} |")
    return "\n".join(rows) + "\n"
