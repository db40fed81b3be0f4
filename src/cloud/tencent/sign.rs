//! TC3-HMAC-SHA256, version 3 of Tencent Cloud's signature: values in, a signature out.
//!
//! Both directions live here: [`sign`] for the client and [`verify`] for the sandbox. Nothing is read from a clock, and
//! nothing here knows which headers a request really carries.

use hmac::{Hmac, KeyInit, Mac};
use jiff::{Timestamp, tz::Offset};
use sha2::{Digest, Sha256};

/// The algorithm's name, which opens the Authorization header.
pub const ALGORITHM: &str = "TC3-HMAC-SHA256";
/// The text that stands for a payload that is not signed, in X-TC-Content-SHA256 and in the hash.
pub const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";
const TERMINATOR: &str = "tc3_request";

/// What a signature covers. The path is always `/`.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// `POST` or `GET`.
    pub method: &'a str,
    /// As the Host header has it: with the port when it is not the scheme's own.
    pub host: &'a str,
    /// As it stands in the request line, percent-encoded; empty for POST.
    pub query: &'a str,
    /// The very text of the Content-Type header, charset included.
    pub content_type: &'a str,
    /// When given, `x-tc-action` is signed too, as Tencent Cloud's current pages do. Its SDKs leave it out.
    pub action: Option<&'a str>,
    pub payload: Payload<'a>,
    /// Unix seconds, as X-TC-Timestamp says.
    pub timestamp: i64,
    /// `tcb`.
    pub service: &'a str,
}

/// The part of a request that is hashed as its body.
#[derive(Debug, Clone, Copy)]
pub enum Payload<'a> {
    Bytes(&'a [u8]),
    Unsigned,
}

/// A signature and the values on the way to it that are no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The names that are signed, as the header lists them.
    pub signed_headers: &'static str,
    /// Lower-case hex of the canonical request's hash.
    pub canonical_hash: String,
    /// `DATE/service/tc3_request`.
    pub scope: String,
    /// Lower-case hex.
    pub signature: String,
    /// The value of the Authorization header.
    pub authorization: String,
}

/// Signs a request with a secret key; None when the timestamp is outside of the calendar.
pub fn sign(request: &Request<'_>, secret_id: &str, secret_key: &str) -> Option<Signed> {
    let action = request.action.map(str::to_ascii_lowercase);
    let mut headers = vec![("content-type", request.content_type.trim()), ("host", request.host)];
    let mut signed_headers = "content-type;host";
    if let Some(action) = &action {
        headers.push(("x-tc-action", action));
        signed_headers = "content-type;host;x-tc-action";
    }
    let canonical_hash = canonical_hash(request, &headers, signed_headers);
    let date = utc_date(request.timestamp)?;
    let scope = format!("{date}/{}/{TERMINATOR}", request.service);
    let text = string_to_sign(request.timestamp, &scope, &canonical_hash);
    let [_, _, signing] = derive_keys(secret_key, &date, request.service);
    let signature = hex::encode(hmac(&signing, text.as_bytes()));
    let authorization = format!(
        "{ALGORITHM} Credential={secret_id}/{scope}, SignedHeaders={signed_headers}, Signature={signature}"
    );
    Some(Signed { signed_headers, canonical_hash, scope, signature, authorization })
}

/// A parsed Authorization header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorization<'a> {
    pub secret_id: &'a str,
    pub date: &'a str,
    pub service: &'a str,
    /// `;`-separated, lower case.
    pub signed_headers: &'a str,
    signature: [u8; 32],
}

impl<'a> Authorization<'a> {
    /// Parses the header; None when it has another form.
    pub fn parse(header: &'a str) -> Option<Self> {
        let rest = header.trim().strip_prefix(ALGORITHM)?.trim_start();
        let (mut credential, mut signed_headers, mut signature) = (None, None, None);
        for part in rest.split(',') {
            match part.trim().split_once('=')? {
                ("Credential", value) => credential = Some(value),
                ("SignedHeaders", value) => signed_headers = Some(value),
                ("Signature", value) => signature = Some(value),
                _ => return None,
            }
        }
        let mut scope = credential?.split('/');
        let (secret_id, date, service, end) = (scope.next()?, scope.next()?, scope.next()?, scope.next()?);
        if end != TERMINATOR || scope.next().is_some() || secret_id.is_empty() {
            return None;
        }
        Some(Self {
            secret_id,
            date,
            service,
            signed_headers: signed_headers?,
            signature: hex::decode(signature?).ok()?.try_into().ok()?,
        })
    }

    /// Whether the header signs a name; `content-type` and `host` are required.
    pub fn signs(&self, name: &str) -> bool {
        self.signed_headers.split(';').any(|signed| signed == name)
    }
}

/// Whether an Authorization header is valid for a request, compared in constant time.
///
/// `header` gives the value of a signed header by its lower-case name; `content-type`, `host` and `x-tc-action` come from
/// `request`. Tencent Cloud's pages lower-case values in the canonical form while SDKs sign them as sent, so both count.
pub fn verify(
    authorization: &Authorization<'_>,
    request: &Request<'_>,
    secret_key: &str,
    header: impl Fn(&str) -> Option<String>,
) -> bool {
    let Some(date) = utc_date(request.timestamp) else {
        return false;
    };
    if authorization.date != date
        || authorization.service != request.service
        || !authorization.signs("content-type")
        || !authorization.signs("host")
    {
        return false;
    }
    let mut headers = Vec::new();
    for name in authorization.signed_headers.split(';') {
        let value = match name {
            "content-type" => Some(request.content_type.to_owned()),
            "host" => Some(request.host.to_owned()),
            "x-tc-action" => request.action.map(str::to_ascii_lowercase),
            other => header(other),
        };
        let Some(value) = value else {
            return false;
        };
        headers.push((name, value));
    }
    let matches = |lower: bool| {
        let values: Vec<String> = headers
            .iter()
            .map(|(_, value)| if lower { value.to_lowercase() } else { value.clone() })
            .collect();
        let pairs: Vec<(&str, &str)> =
            headers.iter().zip(&values).map(|((name, _), value)| (*name, value.trim())).collect();
        let canonical = canonical_hash(request, &pairs, authorization.signed_headers);
        let scope = format!("{date}/{}/{TERMINATOR}", request.service);
        let text = string_to_sign(request.timestamp, &scope, &canonical);
        let [_, _, signing] = derive_keys(secret_key, &date, request.service);
        keyed(&signing, text.as_bytes()).verify_slice(&authorization.signature).is_ok()
    };
    matches(false) || matches(true)
}

/// Returns the SHA-256 in lower-case hex.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Derives the keys of a day, of a service on that day, and for signing, from a secret key.
fn derive_keys(secret_key: &str, date: &str, service: &str) -> [[u8; 32]; 3] {
    let date = hmac(format!("TC3{secret_key}").as_bytes(), date.as_bytes());
    let service = hmac(&date, service.as_bytes());
    [date, service, hmac(&service, TERMINATOR.as_bytes())]
}

fn canonical_hash(request: &Request<'_>, headers: &[(&str, &str)], signed: &str) -> String {
    let payload = match request.payload {
        Payload::Bytes(bytes) => sha256_hex(bytes),
        Payload::Unsigned => sha256_hex(UNSIGNED_PAYLOAD.as_bytes()),
    };
    let mut canonical = format!("{}\n/\n{}\n", request.method, request.query);
    for (name, value) in headers {
        canonical.push_str(name);
        canonical.push(':');
        canonical.push_str(value);
        canonical.push('\n');
    }
    canonical.push('\n');
    canonical.push_str(signed);
    canonical.push('\n');
    canonical.push_str(&payload);
    sha256_hex(canonical.as_bytes())
}

fn string_to_sign(timestamp: i64, scope: &str, canonical_hash: &str) -> String {
    format!("{ALGORITHM}\n{timestamp}\n{scope}\n{canonical_hash}")
}

fn utc_date(timestamp: i64) -> Option<String> {
    let instant = Timestamp::from_second(timestamp).ok()?;
    Some(Offset::UTC.to_datetime(instant).date().to_string())
}

fn keyed(key: &[u8], data: &[u8]) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
    mac.update(data);
    mac
}

fn hmac(key: &[u8], data: &[u8]) -> [u8; 32] {
    keyed(key, data).finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE";
    const KEY: &str = "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE";
    const CVM_BODY: &[u8] =
        br#"{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}"#;
    const A: &str = r#"{"EnvSource":"qcloud","Channel":"qc_console","Source":"qcloud","Alias":"env-alias","FreeQuota":"basic"}"#;
    const P: &str = r#"{"EnvSource": "qcloud", "Channel": "qc_console", "Source": "qcloud", "Alias": "env-alias", "FreeQuota": "basic"}"#;
    const T: &str = r#"{"EnvId":"cdnheader-v2a","Alias":"我的环境"}"#;

    fn cvm(action: Option<&str>) -> Request<'_> {
        Request {
            method: "POST",
            host: "cvm.tencentcloudapi.com",
            query: "",
            content_type: "application/json; charset=utf-8",
            action,
            payload: Payload::Bytes(CVM_BODY),
            timestamp: 1_551_113_065,
            service: "cvm",
        }
    }

    fn tcb<'a>(body: &'a str, action: Option<&'a str>) -> Request<'a> {
        Request {
            method: "POST",
            host: "tcb.tencentcloudapi.com",
            query: "",
            content_type: "application/json",
            action,
            payload: Payload::Bytes(body.as_bytes()),
            timestamp: 1_591_200_000,
            service: "tcb",
        }
    }

    #[test]
    fn the_first_documented_vector_is_met() {
        assert_eq!(CVM_BODY.len(), 86);
        assert_eq!(sha256_hex(CVM_BODY), "35e9c5b0e3ae67532d3c9f17ead6c90222632e5b1ff7f6e89887f1398934f064");
        let signed = sign(&cvm(None), ID, KEY).unwrap();
        assert_eq!(signed.signed_headers, "content-type;host");
        assert_eq!(signed.scope, "2019-02-25/cvm/tc3_request");
        assert_eq!(signed.canonical_hash, "5ffe6a04c0664d6b969fab9a13bdab201d63ee709638e2749d62a09ca18d7031");
        let [date, service, signing] = derive_keys(KEY, "2019-02-25", "cvm");
        assert_eq!(hex::encode(date), "d1308c81fe71cfd4e06437bbc067b2b8a3d2d8c0e375d547f15c41d5214b395a");
        assert_eq!(hex::encode(service), "3c7cb7c7795393edc14fd2e0e6434a518564b4504b88e94f5d11bf59ba3e7050");
        assert_eq!(hex::encode(signing), "ac658d5dde49e9bfdd14e04e062f66b05d9f637d44b8a8d845327d4a77f666b1");
        assert_eq!(
            signed.authorization,
            "TC3-HMAC-SHA256 Credential=AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE/2019-02-25/cvm/tc3_request, \
             SignedHeaders=content-type;host, \
             Signature=72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168"
        );
    }

    #[test]
    fn the_second_documented_vector_is_met() {
        let key = "*".repeat(32);
        let signed = sign(&cvm(Some("DescribeInstances")), ID, &key).unwrap();
        assert_eq!(signed.signed_headers, "content-type;host;x-tc-action");
        assert_eq!(signed.canonical_hash, "7019a55be8395899b900fb5564e4200d984910f34794a27cb3fb7d10ff6a1e84");
        let [date, service, signing] = derive_keys(&key, "2019-02-25", "cvm");
        assert_eq!(hex::encode(date), "da98fb70dcf6b112dc21038d1eeeb3a95c74b4dcb12c1131f864f6066bd02be0");
        assert_eq!(hex::encode(service), "8d70cbefb03939f929db64d32dc2ba89b1095620119fe3e050e2b18c5bd2752f");
        assert_eq!(hex::encode(signing), "b596b923aad85185e2d1f6659d2a062e0a86731226e021e61bfe06f7ed05f5af");
        assert_eq!(signed.signature, "10b1a37a7301a02ca19a647ad722d5e43b4b3cff309d421d85b46093f6ab6c4f");
    }

    #[test]
    fn the_vectors_of_this_service_are_met() {
        let [_, _, signing] = derive_keys(KEY, "2020-06-03", "tcb");
        assert_eq!(hex::encode(signing), "756709ce85268685f2541d68fe25b7d81ff5fcb550d449e27d3878e7bc5e92ea");
        assert_eq!(
            sha256_hex(A.as_bytes()),
            "558d66d5a4407f87362aea1e70c7a82a3ebd6cf4b7f549fef35e2ba16cee16fc"
        );
        assert_eq!(
            sha256_hex(T.as_bytes()),
            "aa7e826a1b6bc43f0f0f53f79c2049ca245f9437d31582441f37a319d68b1424"
        );
        assert_eq!(
            sha256_hex(UNSIGNED_PAYLOAD.as_bytes()),
            "438d4109ef0d676b8c2c7ed13cdfcb418e494d53b843d4634ce3b1085f07bb96"
        );
        let unsigned = Request { payload: Payload::Unsigned, ..tcb(A, None) };
        let get = Request {
            method: "GET",
            query: "EnvId=cdnheader-v2a&Limit=10&Offset=0",
            content_type: "application/x-www-form-urlencoded",
            ..tcb("", None)
        };
        let table = [
            (
                "A",
                tcb(A, None),
                Some("072e44c22874ecc5e1b8688f6c514a065298694ceb449d672d04b36c2a1012da"),
                "61af2d7ee73daa790ed0917053bfc9e6ec066717637c615567138d9ff2e4a27b",
            ),
            (
                "A with its action",
                tcb(A, Some("CreatePostpayPackage")),
                Some("cf5476492078d6c048f8dd6ceb5eec0b690f4668e3a3e4068c37ac715b4dada4"),
                "0290a49b6e55b0bf67d105e2baa7954c2643ac5241e06ec3982d6966c5ef8c06",
            ),
            ("P", tcb(P, None), None, "d055d3ca6f0445e26931d52c5447d8fa9b9c8a6a76f96c2871c745696eee0d3b"),
            ("U", unsigned, None, "38d0a8b692b6538e6fd1fb84e796437dcd03ad268a90687be56884b47e2901a1"),
            ("G", get, None, "8a77383f269a71c5fb59942abb713a2e30e0173f340528015a9e4d48edba459e"),
            ("T", tcb(T, None), None, "f977cbf744ee617515684f690d1b248201256410d3b61d7aae15bc0cbd45360a"),
        ];
        for (name, request, canonical, signature) in table {
            let signed = sign(&request, ID, KEY).unwrap();
            assert_eq!(signed.scope, "2020-06-03/tcb/tc3_request", "{name}");
            if let Some(canonical) = canonical {
                assert_eq!(signed.canonical_hash, canonical, "{name}");
            }
            assert_eq!(signed.signature, signature, "{name}");
            let authorization = Authorization::parse(&signed.authorization).unwrap();
            assert_eq!(authorization.secret_id, ID);
            assert!(verify(&authorization, &request, KEY, |_| None), "{name}");
            assert!(!verify(&authorization, &request, "another", |_| None), "{name}");
        }
    }

    #[test]
    fn a_changed_request_does_not_verify() {
        let request = tcb(A, Some("CreatePostpayPackage"));
        let signed = sign(&request, ID, KEY).unwrap();
        let authorization = Authorization::parse(&signed.authorization).unwrap();
        let changed = [
            Request { payload: Payload::Bytes(P.as_bytes()), ..request },
            Request { host: "127.0.0.1:1", ..request },
            Request { action: Some("DestroyEnv"), ..request },
            Request { timestamp: request.timestamp + 1, ..request },
            Request { timestamp: request.timestamp + 86_400, ..request },
            Request { content_type: "text/plain", ..request },
            Request { service: "cvm", ..request },
            Request { query: "a=b", ..request },
        ];
        for request in changed {
            assert!(!verify(&authorization, &request, KEY, |_| None), "{request:?}");
        }
    }

    #[test]
    fn a_value_signed_in_lower_case_verifies() {
        let lower = Request { content_type: "application/json; charset=utf-8", ..tcb(A, None) };
        let sent = Request { content_type: "application/json; charset=UTF-8", ..lower };
        for signer in [lower, sent] {
            let signed = sign(&signer, ID, KEY).unwrap();
            let authorization = Authorization::parse(&signed.authorization).unwrap();
            assert!(verify(&authorization, &sent, KEY, |_| None));
        }
    }

    #[test]
    fn headers_of_another_form_are_rejected() {
        let good = sign(&tcb(A, None), ID, KEY).unwrap().authorization;
        assert!(Authorization::parse(&good).is_some());
        for bad in [
            "",
            "Basic abc",
            "TC3-HMAC-SHA256",
            &good.replace("tc3_request", "aws4_request"),
            &good.replace("Signature=", "Signature=0"),
            &good.replace("SignedHeaders=content-type;host, ", ""),
            &good.replace(ID, ""),
        ] {
            assert_eq!(Authorization::parse(bad), None, "{bad}");
        }
        assert_eq!(utc_date(i64::MAX), None);
    }
}
