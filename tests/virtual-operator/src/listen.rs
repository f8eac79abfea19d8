//! Listening on every address, also on those that a route alone makes local.

use core::net::SocketAddr;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;

use crate::error::{Error, While};

/// A TCP listener on an unspecified address of one family. `foreign`: answer also under addresses that are nobody's
/// here (needs CAP_NET_ADMIN); the accepted socket's own address tells which was called.
///
/// # Errors
/// The port is taken, or the right is missing.
pub(crate) fn any_address(address: SocketAddr, foreign: bool) -> Result<TcpListener, Error> {
    let doing = format!("listening on {address}");
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP)).trying(&doing)?;
    socket.set_reuse_address(true).trying(&doing)?;
    if address.is_ipv6() {
        socket.set_only_v6(true).trying(&doing)?;
        if foreign {
            socket.set_ip_transparent_v6(true).trying(&doing)?;
        }
    } else if foreign {
        socket.set_ip_transparent_v4(true).trying(&doing)?;
    }
    socket.set_nonblocking(true).trying(&doing)?;
    socket.bind(&address.into()).trying(&doing)?;
    socket.listen(128).trying(&doing)?;
    TcpListener::from_std(socket.into()).trying(&doing)
}
