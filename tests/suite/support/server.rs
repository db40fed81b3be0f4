//! A server for answers that the sandbox does not give: any bytes.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{self, Receiver};

use super::PATIENT;

/// Reads one request per connection, answers with what `answer` makes of it, and closes. Returns the address, and the
/// requests as they come.
pub(crate) fn serve(answer: impl Fn(&[u8]) -> Vec<u8> + Send + 'static) -> (SocketAddr, Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (send, requests) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            stream.set_read_timeout(Some(PATIENT)).unwrap();
            let mut request = Vec::new();
            let mut buffer = [0; 4096];
            loop {
                let read = stream.read(&mut buffer).unwrap_or(0);
                request.extend_from_slice(&buffer[..read]);
                // A request ends with its JSON; a TLS greeting is answered as it comes.
                if read == 0 || request.ends_with(b"}") || !request.starts_with(b"POST") {
                    break;
                }
            }
            // The client may have gone: then nobody reads the answer.
            let _ = stream.write_all(&answer(&request));
            if send.send(request).is_err() {
                break;
            }
        }
    });
    (address, requests)
}

/// A whole answer with this body.
pub(crate) fn ok(body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}")
        .into_bytes()
}

/// The value of a header.
pub(crate) fn header(request: &[u8], name: &str) -> Option<String> {
    let text = String::from_utf8_lossy(request);
    text.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
}
