//! HmacSHA256, the vendor's signature, version 1, which its older clients still send: values in, a signature out.
//!
//! Everything travels as parameters, of a query or of a form, and all of them are signed as they read before they are encoded.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::hmac;

/// The method's name, in `SignatureMethod`.
pub const METHOD: &str = "HmacSHA256";
/// The parameter that holds the signature, and is not signed.
pub const SIGNATURE: &str = "Signature";

/// What is signed: the method, the host, the path, which is always `/`, and the parameters by their names.
fn text(method: &str, host: &str, params: &BTreeMap<String, String>) -> String {
    let params: Vec<String> = params
        .iter()
        .filter(|(name, _)| *name != SIGNATURE)
        .map(|(name, value)| format!("{}={value}", name.replace('_', ".")))
        .collect();
    format!("{method}{host}/?{}", params.join("&"))
}

/// Signs parameters with a key, as base64.
pub fn sign(method: &str, host: &str, params: &BTreeMap<String, String>, secret_key: &str) -> String {
    STANDARD.encode(hmac(secret_key.as_bytes(), text(method, host, params).as_bytes()))
}

/// Whether the signature among the parameters is theirs.
pub fn verify(method: &str, host: &str, params: &BTreeMap<String, String>, secret_key: &str) -> bool {
    let given = params.get(SIGNATURE).map(String::as_str);
    // Compared as bytes of one length: how soon two differ tells nothing about a key that is public.
    given == Some(sign(method, host, params, secret_key).as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by the vendor's Python SDK, 3.0.1300.
    #[test]
    fn it_is_the_vendors() {
        let pairs = [
            ("Action", "DescribeEnvs"),
            ("EnvId", "我的 env"),
            ("Limit", "10"),
            ("Nonce", "12345"),
            ("SecretId", "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE"),
            ("SignatureMethod", "HmacSHA256"),
            ("Timestamp", "1591200000"),
            ("Version", "2018-06-08"),
        ];
        let mut params: BTreeMap<String, String> =
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let key = "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE";
        let signature = sign("POST", "tcb.tencentcloudapi.com", &params, key);
        assert_eq!(signature, "UzsXUt2EEKtLYZO6PFubEIp9ACJSGpVGGow8REBSi7Q=");
        params.insert(SIGNATURE.to_owned(), signature);
        let is_theirs = |method: &str| verify(method, "tcb.tencentcloudapi.com", &params, key);
        assert!(is_theirs("POST"));
        assert!(!is_theirs("GET"));
    }
}
