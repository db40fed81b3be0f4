"""Drives a sandbox with Tencent Cloud's Python SDK, by POST and GET."""

import argparse
import json
import sys

from tencentcloud.common.credential import Credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.sts.v20180813 import models as sts_models
from tencentcloud.sts.v20180813.sts_client import StsClient
from tencentcloud.tcb.v20180608 import models
from tencentcloud.tcb.v20180608.tcb_client import TcbClient

ID, KEY = "AKIDpostpaySandboxPublicKeyNotSecret", "postpaySandboxKeyOpensNothingElse"
ACCOUNT = "100000000001"
ROLE = "qcs::cam::uin/100000000001:roleName/conform"
WAYS = [
    ("POST", "TC3-HMAC-SHA256", False),
    ("GET", "TC3-HMAC-SHA256", False),
    ("POST", "TC3-HMAC-SHA256", True),
]


def client(kind, endpoint, way, key=None):
    method, signing, unsigned = way
    http = HttpProfile(protocol="http", endpoint=endpoint, reqMethod=method, reqTimeout=20)
    profile = ClientProfile(signMethod=signing, httpProfile=http)
    profile.unsignedPayload = unsigned
    return kind(key or Credential(ID, KEY), "ap-shanghai", profile)


def ask(model, **members):
    request = model()
    request.from_json_string(json.dumps(members, ensure_ascii=False))
    return request


def refused(code, call, *arguments):
    """Tencent Cloud's exception, with its code and a RequestId."""
    try:
        call(*arguments)
    except TencentCloudSDKException as error:
        assert error.get_code() == code, "%s, not %s" % (error, code)
        assert error.get_request_id(), error
        return
    raise AssertionError("%s was not refused" % code)


def everything(tcb, limit):
    """Every environment, page by page."""
    found, total = [], None
    while total is None or len(found) < total:
        # The older models know of no pages; what they send is signed the same.
        page = tcb.call_json("DescribeEnvs", {"Limit": limit, "Offset": len(found)})["Response"]
        assert page["RequestId"]
        assert total in (None, page["Total"]), "%s, then %s" % (total, page["Total"])
        total = page["Total"]
        assert len(page["EnvList"]) <= limit
        assert page["EnvList"], "%d of %d" % (len(found), total)
        found += [env["EnvId"] for env in page["EnvList"]]
    assert len(set(found)) == len(found) == total, found
    return found


def shown(tcb, env_id):
    page = tcb.DescribeEnvs(ask(models.DescribeEnvsRequest, EnvId=env_id))
    return page.EnvList[0] if page.EnvList else None


def order(tcb, alias):
    request = ask(
        models.CreatePostpayPackageRequest,
        EnvSource="qcloud", Channel="qc_console", Source="qcloud", Alias=alias, FreeQuota="basic", Flag="QuickStart",
        Extra=json.dumps({"owner": "平台组"}, ensure_ascii=False),
    )
    answer = tcb.CreatePostpayPackage(request)
    assert answer.TranId and answer.EnvId and answer.RequestId, answer
    env = shown(tcb, answer.EnvId)
    assert env.Alias == alias and env.PayMode == "postpaid" and env.Status == "NORMAL", env
    bill = tcb.DescribeBillingInfo(ask(models.DescribeBillingInfoRequest, EnvId=answer.EnvId))
    assert bill.EnvBillingInfoList[0].OrderInfo.TranId == answer.TranId
    return answer.EnvId


def live(tcb, way, env_id):
    """An alias, bills, and the end of an environment."""
    alias = "renamed-" + env_id[:12]
    assert tcb.ModifyEnv(ask(models.ModifyEnvRequest, EnvId=env_id, Alias=alias)).RequestId
    assert shown(tcb, env_id).Alias == alias
    ids = everything(tcb, 3)[:5]
    bills = tcb.call_json("DescribeBillingInfo", {"EnvIds": ids})["Response"]
    assert [bill["EnvId"] for bill in bills["EnvBillingInfoList"]] == ids, bills
    assert bills["Total"] == len(ids)
    tcb.DestroyEnv(ask(models.DestroyEnvRequest, EnvId=env_id))
    assert shown(tcb, env_id).Status == "ISOLATE"
    tcb.DestroyEnv(ask(models.DestroyEnvRequest, EnvId=env_id, IsForce=True))
    assert shown(tcb, env_id) is None
    refused("ResourceNotFound", tcb.DestroyEnv, ask(models.DestroyEnvRequest, EnvId=env_id))


def strangers(endpoint, way):
    """Keys that are none, with the codes that Tencent Cloud has for them."""
    nobody = client(TcbClient, endpoint, way, Credential("AKIDnobodyKnowsThisOneAtAll00000000", KEY))
    refused("AuthFailure.SecretIdNotFound", nobody.DescribeEnvs, ask(models.DescribeEnvsRequest))
    wrong = client(TcbClient, endpoint, way, Credential(ID, "anotherKeyAltogether"))
    refused("AuthFailure.SignatureFailure", wrong.DescribeEnvs, ask(models.DescribeEnvsRequest))


def roles(endpoint, way):
    """Whose the key is, and a temporary one that works for as long as its token is there."""
    sts = client(StsClient, endpoint, way)
    who = sts.GetCallerIdentity(ask(sts_models.GetCallerIdentityRequest))
    assert who.AccountId == ACCOUNT and who.Arn and who.UserId and who.Type and who.PrincipalId, who
    session = sts.AssumeRole(
        ask(sts_models.AssumeRoleRequest, RoleArn=ROLE, RoleSessionName="conform", DurationSeconds=900)
    )
    key = session.Credentials
    temporary = Credential(key.TmpSecretId, key.TmpSecretKey, key.Token)
    assert everything(client(TcbClient, endpoint, way, temporary), 50)
    bare = Credential(key.TmpSecretId, key.TmpSecretKey, "another-token")
    tcb = client(TcbClient, endpoint, way, bare)
    refused("AuthFailure.TokenFailure", tcb.DescribeEnvs, ask(models.DescribeEnvsRequest))
    refused(
        "MissingParameter", sts.AssumeRole, ask(sts_models.AssumeRoleRequest, RoleArn=ROLE)
    )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--order", action="store_true", help="the SDK has the ordering action")
    parser.add_argument("--throttle", action="store_true", help="only hold the rate limit against it")
    arguments = parser.parse_args()
    endpoint = arguments.endpoint
    if arguments.throttle:
        tcb = client(TcbClient, endpoint, WAYS[0])
        codes = []
        for n in range(6):
            try:
                order(tcb, "throttled-%d" % n)
                codes.append(None)
            except TencentCloudSDKException as error:
                codes.append(error.get_code())
        assert set(codes) == {None, "RequestLimitExceeded"}, codes
        return
    for n, way in enumerate(WAYS):
        tcb = client(TcbClient, endpoint, way)
        if arguments.order:
            env_id = order(tcb, "conform-%d" % n)
            for more in range(4):
                order(tcb, "conform-%d-%d" % (n, more))
            refused(
                "MissingParameter", tcb.CreatePostpayPackage, ask(models.CreatePostpayPackageRequest, Alias="x")
            )
        else:
            env_id = "conform-%02d" % n
        live(tcb, way, env_id)
        strangers(endpoint, way)
        roles(endpoint, way)
    print("%d ways of calling" % len(WAYS), file=sys.stderr)


main()
