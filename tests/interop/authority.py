"""Authorities and certificates, made anew with the openssl command."""
import subprocess


def _openssl(*command):
    done = subprocess.run(["openssl", *map(str, command)], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True)
    assert done.returncode == 0, f"openssl {command}:\n{done.stderr}"


class Authority:
    """Files in `folder`: NAME.pem, and NAME.key for the authority and for whom it certifies."""

    NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")

    def __init__(self, folder, name):
        self._folder = folder
        self._name = name
        _openssl("req", "-x509", *self.NEW_KEY, "-days", 2, "-subj", f"/CN={name}",
                 "-keyout", self._file(name, "key"), "-out", self._file(name, "pem"))

    def certify(self, name, alternative_name=None):
        """`alternative_name`: such as "IP:127.0.0.1"."""
        request, extensions = self._file(name, "csr"), self._file(name, "ext")
        _openssl("req", *self.NEW_KEY, "-subj", f"/CN={name}", "-keyout", self._file(name, "key"),
                 "-out", request)
        extensions.write_text("basicConstraints = CA:FALSE\n" + (
            f"subjectAltName = {alternative_name}\n" if alternative_name else ""))
        _openssl("x509", "-req", "-in", request, "-CA", self._file(self._name, "pem"),
                 "-CAkey", self._file(self._name, "key"), "-CAcreateserial", "-days", 2,
                 "-extfile", extensions, "-out", self._file(name, "pem"))

    def _file(self, name, ending):
        return self._folder / f"{name}.{ending}"
