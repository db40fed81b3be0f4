//! The connection under the server, where a fault can break it: reset, closed without an answer, or cut within a body.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// What happens to a connection when its answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Whole,
    Reset,
    Closed,
    /// Closed after so many bytes of the body.
    Cut(usize),
}

/// A handle on one connection, for the handler of its requests.
#[derive(Debug, Clone)]
pub(super) struct Connection(Arc<Mutex<Fate>>);

impl Connection {
    pub(super) fn set(&self, fate: Fate) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = fate;
    }

    fn get(&self) -> Fate {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connected<IncomingStream<'_, BreakableListener>> for Connection {
    fn connect_info(stream: IncomingStream<'_, BreakableListener>) -> Self {
        stream.io().connection.clone()
    }
}

/// A TCP listener whose connections can be broken.
pub(super) struct BreakableListener(pub(super) TcpListener);

impl Listener for BreakableListener {
    type Io = BreakableStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        // An answer goes out at once; a failure to ask for that only makes it slower.
        let _ = stream.set_nodelay(true);
        let connection = Connection(Arc::new(Mutex::new(Fate::Whole)));
        (BreakableStream { stream, connection }, address)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

pub(super) struct BreakableStream {
    stream: TcpStream,
    connection: Connection,
}

impl AsyncRead for BreakableStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for BreakableStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.connection.get() {
            Fate::Whole => Pin::new(&mut self.stream).poll_write(context, bytes),
            Fate::Reset => {
                // With no time to linger, closing sends RST instead of FIN. The server closes on an error.
                self.stream.set_zero_linger()?;
                Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()))
            }
            Fate::Closed => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            Fate::Cut(body) => {
                let head = bytes.windows(4).position(|window| window == b"\r\n\r\n");
                let end = head.map_or(bytes.len(), |at| bytes.len().min(at + 4 + body));
                let part = bytes.get(..end).unwrap_or(bytes);
                let written = std::task::ready!(Pin::new(&mut self.stream).poll_write(context, part))?;
                if head.is_some() && written == end {
                    self.connection.set(Fate::Closed);
                }
                Poll::Ready(Ok(written))
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
