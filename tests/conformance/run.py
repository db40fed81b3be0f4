#!/usr/bin/env python3
"""Tests postpay against Tencent Cloud's own clients. See README.md beside this file.

    run.py --postpay PATH [--work FOLDER] [STEP ...]

Steps: sdk-old, sdk-new, tccli, ours, sign. Without one, all but `sign`, which prints what the Rust test compares.
"""

import argparse
import json
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
# The last line of SDKs that has the ordering action; the newest, which does not; and the last command line that has it.
ENVIRONMENTS = {
    "old": [
        "tencentcloud-sdk-python-common==3.0.1300",
        "tencentcloud-sdk-python-tcb==3.0.1300",
        "tencentcloud-sdk-python-sts==3.0.1300",
    ],
    "new": [
        "tencentcloud-sdk-python-common==3.1.195",
        "tencentcloud-sdk-python-tcb==3.1.195",
        "tencentcloud-sdk-python-sts==3.0.1459",
    ],
    "tccli": [
        "tccli==3.1.40.1",
        "tencentcloud-sdk-python-common==3.1.40",
        "tencentcloud-sdk-python-tcb==3.1.40",
        # It looks the SDKs up by this one.
        "tencentcloud-sdk-python-cvm==3.1.40",
        "jmespath==0.10.0",
        "six==1.16.0",
        "requests==2.32.5",
        "urllib3==2.5.0",
        "certifi==2025.8.3",
        "charset-normalizer==3.4.3",
        "idna==3.10",
    ],
}


def environment(name, work):
    """The Python of a virtual environment with pinned packages, made when it is not there."""
    folder = work / name
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = folder / "packages.json"
    packages = ENVIRONMENTS[name]
    if stamp.exists() and json.loads(stamp.read_text()) == packages:
        return python
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    # The command line asks for the SDKs of every product; it needs the one.
    if name == "tccli":
        pip.append("--no-deps")
    subprocess.run(pip + packages, check=True)
    stamp.write_text(json.dumps(packages))
    return python


class Sandbox:
    """`postpay sandbox serve` on a port of its own."""

    def __init__(self, postpay, *flags):
        self.folder = tempfile.TemporaryDirectory()
        self.ledger = Path(self.folder.name) / "ledger.jsonl"
        command = [postpay, "sandbox", "serve", "--listen", "127.0.0.1:0", "--ledger", str(self.ledger), *flags]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=self.folder.name
        )
        self.address = self.process.stdout.readline().strip().removeprefix("http://")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.folder.cleanup()

    def orders(self):
        """What was ordered: the aliases."""
        lines = [json.loads(line) for line in self.ledger.read_text().splitlines()]
        return [line["params"]["Alias"] for line in lines if line.get("acted")]


class Front:
    """TLS before a sandbox: Tencent Cloud's command line speaks nothing else."""

    def __init__(self, target, folder):
        self.target = target.split(":")
        certificate, key = folder / "cert.pem", folder / "key.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
             "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
             "-keyout", str(key), "-out", str(certificate)],
            check=True, capture_output=True,
        )
        import socket

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.certificate = certificate
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.context = context
        self.address = "localhost:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=self.one, args=(client,), daemon=True).start()

    def one(self, client):
        import socket

        try:
            with self.context.wrap_socket(client, server_side=True) as tls:
                with socket.create_connection((self.target[0], int(self.target[1]))) as server:
                    back = threading.Thread(target=pump, args=(server, tls), daemon=True)
                    back.start()
                    pump(tls, server)
                    back.join(5)
        except OSError:
            pass


def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass


def run(python, program, *arguments, **variables):
    command = [str(python), str(HERE / program), *arguments]
    subprocess.run(command, check=True, env={**os.environ, **variables})


def sdk_old(postpay, work):
    python = environment("old", work)
    with Sandbox(postpay, "--sandbox-rate", "1000") as sandbox:
        run(python, "sdk.py", "--endpoint", sandbox.address, "--order")
    with Sandbox(postpay) as sandbox:
        run(python, "sdk.py", "--endpoint", sandbox.address, "--throttle")


def sdk_new(postpay, work):
    python = environment("new", work)
    existing = [flag for n in range(12) for flag in ("--existing-postpaid", "conform-%02d:conform-%02d" % (n, n))]
    with Sandbox(postpay, *existing) as sandbox:
        run(python, "sdk.py", "--endpoint", sandbox.address)


def tccli(postpay, work):
    python = environment("tccli", work)
    with Sandbox(postpay, "--sandbox-rate", "1000") as sandbox, tempfile.TemporaryDirectory() as home:
        front = Front(sandbox.address, Path(home))
        run(
            python, "tccli.py", "--endpoint", front.address,
            HOME=home, CONFORMANCE_CA=str(front.certificate), NO_PROXY="localhost,127.0.0.1",
        )


def ours(postpay, work):
    """Our client against a server that signs what it gets with Tencent Cloud's own code, with and without TLS."""
    python = environment("old", work)
    with tempfile.TemporaryDirectory() as home:
        run(python, "verify.py", "--postpay", str(postpay), "--work", home)


STEPS = {"sdk-old": sdk_old, "sdk-new": sdk_new, "tccli": tccli, "ours": ours}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--postpay", type=lambda path: str(Path(path).resolve()), required=True)
    parser.add_argument("--work", type=Path, default=HERE.parent.parent / "target" / "conformance")
    parser.add_argument("steps", nargs="*", choices=[*STEPS, "sign", "environments", []])
    arguments = parser.parse_args()
    work = arguments.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    for step in arguments.steps or STEPS:
        if step == "environments":
            for name in ENVIRONMENTS:
                environment(name, work)
        elif step == "sign":
            run(environment("old", work), "signatures.py")
        else:
            STEPS[step](arguments.postpay, work)
            print("%s: as Tencent Cloud's" % step, file=sys.stderr)


if __name__ == "__main__":
    main()
