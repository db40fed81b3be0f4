"""A server that signs what it gets with Tencent Cloud's own code and answers as Tencent Cloud would, and postpay against it."""

import argparse
import json
import os
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tencentcloud.common.abstract_client import AbstractClient
from tencentcloud.common.credential import Credential
from tencentcloud.common.http.request import RequestInternal
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.common.sign import Sign

ID, KEY = "AKIDmadeUpForThisTestAlone0000000001", "madeUpForThisTestAlone0000000002"
# What an SDK sends too; the rest is what HTTP itself needs, and what Tencent Cloud documents besides.
EXPECTED = {
    "authorization", "content-type", "host", "x-tc-action", "x-tc-language", "x-tc-region", "x-tc-requestclient",
    "x-tc-timestamp", "x-tc-version",
}
BESIDES = {"accept", "content-length", "user-agent", "x-tc-traceid"}
MANIFEST = """version: 1
environments:
  one: {alias: one, env_source: qcloud, channel: qc_console, env_alias: 商店 · 生产}
  two: {alias: two, env_source: qcloud, channel: qc_console}
"""


class Vendor(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wrong = []
    seen = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        action = self.headers["X-TC-Action"]
        self.seen.append(action)
        trouble = self.check(body)
        if trouble:
            self.wrong.append("%s: %s" % (action, trouble))
        answer = {"RequestId": "request-%d" % len(self.seen)}
        if action == "GetCallerIdentity":
            answer |= {"AccountId": "100000000009", "UserId": "1", "Arn": "qcs::cam::uin/100000000009:uin/1", "Type": "CAMUser"}
        elif action == "CreatePostpayPackage":
            alias = json.loads(body)["Alias"]
            answer |= {"TranId": "2026%s" % len(self.seen), "EnvId": "%s-1a2b" % alias}
        elif action == "DescribeEnvs":
            answer |= {"EnvList": [], "Total": 0}
        text = json.dumps({"Response": answer}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def check(self, body):
        names = {name.lower() for name in self.headers}
        if EXPECTED - names:
            return "lacks %s" % (EXPECTED - names)
        if names - EXPECTED - BESIDES:
            return "has %s" % (names - EXPECTED - BESIDES)
        service = "sts" if self.headers["X-TC-Version"] == "2018-08-13" else "tcb"
        if self.headers["Content-Type"] != "application/json":
            return self.headers["Content-Type"]
        given = self.headers["Authorization"]
        request = RequestInternal(self.headers["Host"], "POST", "/")
        request.header.update({name: self.headers[name] for name in ("Host", "Content-Type", "X-TC-Timestamp")})
        request.data = body.decode()
        client = AbstractClient(Credential(ID, KEY), "", ClientProfile(httpProfile=HttpProfile()))
        client._service = service
        date = given.split("/")[1]
        # Both sets of headers are documented: the SDKs' two, and the current page's three.
        if "SignedHeaders=content-type;host;x-tc-action," in given:
            signature = with_action(self.headers, body, date, service)
        else:
            signature = client._get_tc3_signature({}, request, date, service)
        expected = "Credential=%s/%s/%s/tc3_request, " % (ID, date, service)
        if expected not in given or not given.endswith("Signature=%s" % signature):
            return "the signature is %s" % signature
        return None

    def log_message(self, *_):
        pass


def with_action(headers, body, date, service):
    """Tencent Cloud's last step, over one header more than its SDK's."""
    import hashlib

    canonical = "POST\n/\n\ncontent-type:%s\nhost:%s\nx-tc-action:%s\n\ncontent-type;host;x-tc-action\n%s" % (
        headers["Content-Type"], headers["Host"], headers["X-TC-Action"].lower(), hashlib.sha256(body).hexdigest(),
    )
    text = "TC3-HMAC-SHA256\n%s\n%s/%s/tc3_request\n%s" % (
        headers["X-TC-Timestamp"], date, service, hashlib.sha256(canonical.encode()).hexdigest(),
    )
    return Sign.sign_tc3(KEY, date, service, text)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--postpay", required=True)
    parser.add_argument("--work", type=Path, required=True)
    arguments = parser.parse_args()
    work = arguments.work
    (work / "environments").mkdir()
    (work / "environments" / "all.yaml").write_text(MANIFEST)
    certificate, key = work / "cert.pem", work / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
         "-addext", "basicConstraints=critical,CA:FALSE", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )
    for scheme in ("http", "https"):
        server = ThreadingHTTPServer(("127.0.0.1", 0), Vendor)
        if scheme == "https":
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate, key)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        endpoint = "%s://127.0.0.1:%d" % (scheme, server.server_port)
        state = str(work / scheme / "postpay.state.json")
        os.makedirs(work / scheme)
        Vendor.seen.clear()
        command = [
            arguments.postpay, "apply", "--auto-approve", "--endpoint", endpoint, "--region", "ap-shanghai",
            "--state", state, "--settle", "0s", "--ca-file", str(certificate),
        ]
        done = subprocess.run(
            command, cwd=work, capture_output=True, text=True,
            env={"HOME": str(work), "TENCENTCLOUD_SECRET_ID": ID, "TENCENTCLOUD_SECRET_KEY": KEY},
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert not Vendor.wrong, Vendor.wrong
        assert Vendor.seen.count("CreatePostpayPackage") == 2 and "GetCallerIdentity" in Vendor.seen, Vendor.seen
        server.shutdown()


main()
