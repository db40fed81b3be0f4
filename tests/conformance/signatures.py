"""Signs 1,000 random requests with Tencent Cloud's own code, and prints each with its signature as a line of JSON."""

import json
import random
import string
from urllib.parse import urlencode

from tencentcloud.common.abstract_client import AbstractClient
from tencentcloud.common.credential import Credential
from tencentcloud.common.http.request import RequestInternal
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile

# The same ones each time.
DICE = random.Random(20180608)
WORDS = [
    "shop", "env-alias", "商店 · 生产", "平台组", "emoji 🛒", "a b", "a+b", "100%", "x=y&z", "~tilde", "quote\"s", "back\\slash",
    "مرحبا", "é", "", "/", "?", "#", "\t", "line\nbreak", "&amp;", "中文,逗号",
]
ALPHABET = string.ascii_letters + string.digits


def some(length):
    return "".join(DICE.choice(ALPHABET) for _ in range(length))


def parameters():
    params = {}
    for _ in range(DICE.randint(0, 6)):
        name = DICE.choice(["EnvId", "Alias", "Limit", "Offset", "EnvIds", "Extra", "Channels", "IsVisible", "My_Name"])
        params[name] = DICE.choice(
            [
                DICE.choice(WORDS),
                DICE.randint(-5, 10**12),
                DICE.choice([True, False]),
                [DICE.choice(WORDS) for _ in range(DICE.randint(1, 12))],
                {"Key": DICE.choice(WORDS), "Value": DICE.choice(WORDS)},
            ]
        )
    return params


def signed():
    key = Credential("AKID" + some(32), some(32))
    method = DICE.choice(["POST", "GET"])
    profile = ClientProfile(httpProfile=HttpProfile(reqMethod=method))
    client = AbstractClient(key, "", profile)
    client._service = DICE.choice(["tcb", "sts", "cvm"])
    host = DICE.choice(["tcb.tencentcloudapi.com", "127.0.0.1:%d" % DICE.randint(1, 65535), "tcb.ap-shanghai.tencentcloudapi.com"])
    request = RequestInternal(host, method, "/")
    timestamp = DICE.randint(0, 4_000_000_000)
    request.header["Host"] = host
    request.header["X-TC-Timestamp"] = str(timestamp)
    request.header["Content-Type"] = "application/x-www-form-urlencoded" if method == "GET" else "application/json"
    unsigned = DICE.random() < 0.1
    if unsigned:
        request.header["X-TC-Content-SHA256"] = "UNSIGNED-PAYLOAD"
    params = parameters()
    if method == "GET":
        request.data = urlencode(client._fix_params(params))
    else:
        # As the SDK writes it, as a compact writer does, and as it is not escaped.
        request.data = DICE.choice(
            [
                json.dumps(params),
                json.dumps(params, separators=(",", ":")),
                json.dumps(params, ensure_ascii=False),
            ]
        )
    from datetime import datetime, timezone

    date = datetime.fromtimestamp(timestamp, timezone.utc).strftime("%Y-%m-%d")
    signature = client._get_tc3_signature(params, request, date, client._service)
    authorization = "TC3-HMAC-SHA256 Credential=%s/%s/%s/tc3_request, SignedHeaders=content-type;host, Signature=%s" % (
        key.secret_id, date, client._service, signature,
    )
    return {
        "method": method,
        "host": host,
        "service": client._service,
        "content_type": request.header["Content-Type"],
        "timestamp": timestamp,
        "unsigned": unsigned,
        "query": request.data if method == "GET" else "",
        "body": "" if method == "GET" else request.data,
        "secret_id": key.secret_id,
        "secret_key": key.secret_key,
        "signature": authorization,
    }


for _ in range(1000):
    print(json.dumps(signed(), ensure_ascii=False))
