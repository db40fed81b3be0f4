//! Finds ids in what is left of an answer: cut short, wrapped in a web page, or not even text.

use super::Ids;

/// The ids that stand complete in a body of any kind: `"TranId":"…"` with both quotes, or with a number that ends.
pub fn salvage(body: &[u8]) -> Ids {
    Ids {
        tran_id: find(body, b"\"TranId\""),
        env_id: find(body, b"\"EnvId\""),
        request_id: find(body, b"\"RequestId\""),
    }
}

fn find(body: &[u8], name: &[u8]) -> Option<String> {
    let mut rest = body;
    loop {
        let at = rest.windows(name.len()).position(|window| window == name)?;
        rest = rest.get(at + name.len()..)?;
        if let Some(value) = value(rest) {
            return Some(value);
        }
    }
}

fn value(after_name: &[u8]) -> Option<String> {
    let value = after_name.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
    let text = if value.starts_with(b"\"") { quoted(value)? } else { digits(value)? };
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// A JSON text up to its closing quote. One that holds bytes which are no text is kept with those replaced.
fn quoted(value: &[u8]) -> Option<String> {
    let mut escaped = false;
    let end = value.iter().skip(1).position(|byte| match byte {
        _ if escaped => {
            escaped = false;
            false
        }
        b'\\' => {
            escaped = true;
            false
        }
        byte => *byte == b'"',
    })?;
    let literal = String::from_utf8_lossy(value.get(..end + 2)?);
    let inside = literal.trim_matches('"').to_owned();
    Some(serde_json::from_str(&literal).unwrap_or(inside))
}

/// A whole number. Without a byte after it, its end may be missing.
fn digits(value: &[u8]) -> Option<String> {
    let end = value.iter().position(|byte| !byte.is_ascii_digit())?;
    let ends = value.get(end).is_some_and(|byte| matches!(byte, b',' | b'}') || byte.is_ascii_whitespace());
    let text = std::str::from_utf8(value.get(..end)?).ok()?;
    ends.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(body: &[u8]) -> [Option<String>; 3] {
        let Ids { tran_id, env_id, request_id } = salvage(body);
        [tran_id, env_id, request_id]
    }

    #[test]
    fn only_complete_pairs_are_found() {
        let table: [(&[u8], [Option<&str>; 3]); 13] = [
            (br#"{"Response":{"EnvId":"e","RequestId":"r","TranId":"20200603"#, [None, Some("e"), Some("r")]),
            (br#"{"Response":{"TranId":"1","EnvId":"half"#, [Some("1"), None, None]),
            (br#"{"Response" : {"TranId" : "1" , "#, [Some("1"), None, None]),
            (br#"{"TranId":123,"EnvId":null"#, [Some("123"), None, None]),
            (br#"{"TranId":123"#, [None, None, None]),
            (br#"{"TranId":1.5,"x":1"#, [None, None, None]),
            (br#"{"TranId":"","EnvId":" ""#, [None, None, None]),
            (br#"{"TranId":"a\"b""#, [Some("a\"b"), None, None]),
            // An id inside of another text is not an id of the answer.
            (br#"{"Message":"\"TranId\":\"1\"""#, [None, None, None]),
            (br#"{"TranId":null,"Order":{"TranId":"2"}"#, [Some("2"), None, None]),
            (b"\xff\xfe\"TranId\":\"1\"\xff", [Some("1"), None, None]),
            (b"\"TranId\":\"1\xff\"", [Some("1\u{fffd}"), None, None]),
            (b"<html>\"TranId\"", [None, None, None]),
        ];
        for (body, expected) in table {
            let expected = expected.map(|id| id.map(str::to_owned));
            assert_eq!(found(body), expected, "{}", String::from_utf8_lossy(body));
        }
    }

    proptest::proptest! {
        /// Wherever an answer is cut, an id is either whole or not there.
        #[test]
        fn a_cut_answer_never_gives_half_an_id(cut in 0_usize..90) {
            let whole = br#"{"Response":{"EnvId":"shop-8grqda2hfc2f62bb","RequestId":"r-1","TranId":"20200603119423"}}"#;
            let [tran, env, request] = found(&whole[..cut.min(whole.len())]);
            proptest::prop_assert!(tran.is_none_or(|id| id == "20200603119423"));
            proptest::prop_assert!(env.is_none_or(|id| id == "shop-8grqda2hfc2f62bb"));
            proptest::prop_assert!(request.is_none_or(|id| id == "r-1"));
        }

        #[test]
        fn any_bytes_are_survived(body: Vec<u8>) {
            let _ = found(&body);
            let _ = super::super::decode_create(&body);
        }
    }
}
