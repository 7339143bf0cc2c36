"""Certificates that openssl makes for tests."""

import collections
import datetime
import pathlib
import subprocess

# Paths of files in PEM.
Pair = collections.namedtuple("Pair", "certificate key")

CONFIGURATION = """
[ca]
default_ca = here
[here]
database = {folder}/index
new_certs_dir = {folder}
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
"""
AUTHORITY = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n"


class Authority:
    """Issues certificates into a folder of its own."""

    def __init__(self, folder, issuer=None):
        """The root, or what `issuer` has made an authority."""
        self._folder = pathlib.Path(folder)
        self._folder.mkdir(parents=True, exist_ok=True)
        self._folder.joinpath("index").touch()
        self._folder.joinpath("configuration").write_text(CONFIGURATION.format(folder=self._folder), encoding="utf-8")
        self._issued = 0
        self.pair = None  # of its own
        self.pair = (issuer or self)._make(self._folder, "authority", AUTHORITY, -1, 365)

    @property
    def certificate(self):
        return self.pair.certificate

    def issue(self, san="DNS:localhost,IP:127.0.0.1", from_days=-1, until_days=2, usage="serverAuth,clientAuth", key=None):
        """A certificate for `san`, valid from and until so many days from now. `key` is one to use again."""
        self._issued += 1
        extensions = f"subjectAltName={san}\nextendedKeyUsage={usage}\n"
        return self._make(self._folder, f"issued{self._issued}", extensions, from_days, until_days, key)

    def _make(self, folder, name, extensions, from_days, until_days, key=None):
        certificate, request, details = (folder / f"{name}.{kind}" for kind in ("crt", "csr", "ext"))
        if key is None:
            key = folder / f"{name}.key"
            openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key)
        openssl("req", "-new", "-key", key, "-subj", f"/CN={name}", "-out", request)
        details.write_text(extensions, encoding="ascii")
        signer = ("-selfsign", "-keyfile", key) if self.pair is None else ("-cert", self.pair.certificate, "-keyfile", self.pair.key)
        dates = ("-startdate", _date(from_days), "-enddate", _date(until_days))
        files = ("-config", self._folder / "configuration", "-extfile", details, "-in", request, "-out", certificate)
        openssl("ca", "-batch", "-notext", *signer, *dates, *files)
        return Pair(certificate, key)


def _date(days):
    date = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)
    return date.strftime("%Y%m%d%H%M%SZ")


def openssl(*arguments):
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def chain_of(folder, *certificates):
    """A file with all of these certificates."""
    path = pathlib.Path(folder) / "chain.crt"
    path.write_bytes(b"".join(pathlib.Path(certificate).read_bytes() for certificate in certificates))
    return path
