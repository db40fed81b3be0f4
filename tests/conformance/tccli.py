"""Drives a sandbox with Tencent Cloud's command line, which speaks TLS and nothing else."""

import argparse
import json
import subprocess
import sys

ID, KEY = "AKIDpostpaySandboxPublicKeyNotSecret", "postpaySandboxKeyOpensNothingElse"


# It trusts what the package certifi lists and reads no variable about that; nothing else of it is touched.
TRUSTING = """
import os, sys
import certifi
certifi.where = lambda: os.environ["CONFORMANCE_CA"]
sys.argv[0] = "tccli"
from tccli.main import main
sys.exit(main())
"""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--endpoint", required=True)
    endpoint = parser.parse_args().endpoint

    def call(action, **members):
        flags = []
        for name, value in members.items():
            flags += ["--" + name, value if isinstance(value, str) else json.dumps(value)]
        command = [
            sys.executable, "-c", TRUSTING, "tcb", action, *flags,
            "--endpoint", endpoint, "--region", "ap-shanghai", "--secretId", ID, "--secretKey", KEY,
        ]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            return None, done.stdout + done.stderr
        return json.loads(done.stdout), None

    def fine(action, **members):
        answer, wrong = call(action, **members)
        assert answer, "%s: %s" % (action, wrong)
        assert answer["RequestId"], answer
        return answer

    ids = []
    for n in range(3):
        answer = fine(
            "CreatePostpayPackage",
            EnvSource="qcloud", Channel="qc_console", Source="qcloud", Alias="tccli-%d" % n,
        )
        assert answer["TranId"], answer
        ids.append(answer["EnvId"])
    first = fine("DescribeEnvs", Limit=2, Offset=0)
    second = fine("DescribeEnvs", Limit=2, Offset=2)
    listed = [env["EnvId"] for env in first["EnvList"] + second["EnvList"]]
    assert len(first["EnvList"]) == 2 and first["Total"] == 4, first
    assert set(ids) <= set(listed), listed
    fine("ModifyEnv", EnvId=ids[0], Alias="tccli-renamed")
    assert fine("DescribeEnvs", EnvId=ids[0])["EnvList"][0]["Alias"] == "tccli-renamed"
    fine("DestroyEnv", EnvId=ids[0])
    assert fine("DescribeEnvs", EnvId=ids[0])["EnvList"][0]["Status"] == "ISOLATE"
    _, wrong = call("ModifyEnv", EnvId="nobody-knows-this", Alias="x")
    assert wrong and "ResourceNotFound" in wrong and "requestId" in wrong.replace("RequestId", "requestId"), wrong
    _, wrong = call("CreatePostpayPackage", Alias="x")
    assert wrong and "MissingParameter" in wrong, wrong


main()
