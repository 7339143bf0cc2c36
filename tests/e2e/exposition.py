"""Reads the text that Prometheus scrapes."""

import http.client
import re
import ssl

SAMPLE = re.compile(r"(?P<name>[a-zA-Z_:][\w:]*)(?:\{(?P<labels>.*)\})? (?P<value>\S+)(?: \d+)?")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)",?')


class Metrics(dict):
    """All samples of one scrape: (name, frozenset of (label, value)) -> number. Each may occur only
    once.
    """

    def __init__(self, text):
        super().__init__()
        self.types = {}
        self.helps = {}
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ")
                self.types[name] = kind
            elif line.startswith("# HELP "):
                _, _, name, text = line.split(" ", 3)
                self.helps[name] = text
            elif line and not line.startswith("#"):
                match = SAMPLE.fullmatch(line)
                assert match, f"not a sample: {line!r}"
                series = match["name"], frozenset(LABEL.findall(match["labels"] or ""))
                assert series not in self, f"twice: {line}"
                self[series] = float(match["value"])

    def of(self, name, **labels):
        """The samples of `name` with at least these labels: {labels: number}."""
        wanted = set(labels.items())
        return {found: value for (n, found), value in self.items() if n == name and wanted <= found}

    def total(self, name, **labels):
        """The sum over the samples that `of` returns; fails if there are none."""
        samples = self.of(name, **labels)
        assert samples, f"no sample of {name} with {labels}"
        return sum(samples.values())


def http_get(address, path, token=None, over_tls=False):
    """Returns (status, body, headers). Over TLS it asks for no certificate in particular, as probes of Kubernetes do."""
    if over_tls:
        connection = http.client.HTTPSConnection(address, timeout=60, context=ssl._create_unverified_context())
    else:
        connection = http.client.HTTPConnection(address, timeout=60)
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"} if token else {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), dict(answer.getheaders())
    finally:
        connection.close()


def scrape(server, token=None):
    """What a ServerProcess tells; where there is a policy, to the bearer of a token with the verb metrics."""
    status, body, _ = http_get(server.http_address, "/metrics", token, server.over_tls)
    assert status == 200, body
    return Metrics(body)
