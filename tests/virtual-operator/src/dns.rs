//! The operator's name server: two zones, nothing else exists, in the garden as outside.

use std::io;
use std::rc::Rc;

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use core::str::FromStr;

use hickory_proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::rdata::{A, AAAA, SOA};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};

use crate::address::{DNS, INTERNET_HOSTS, OPERATOR_HOSTS, ZONES};

const TTL: u32 = 5;
const LARGEST_QUERY: usize = 4096;

/// What a client asked last; lets tests see which names were looked up.
pub type Watch = Rc<dyn Fn(&str)>;

/// The answer to one query; `None` where silence is the right answer (not a query, not even a header).
#[must_use]
pub fn answer(query: &[u8]) -> Option<Vec<u8>> {
    let query = Message::from_vec(query).ok()?;
    if query.metadata.message_type != MessageType::Query {
        return None;
    }
    let mut reply = Message::response(query.metadata.id, query.metadata.op_code);
    reply.metadata.recursion_desired = query.metadata.recursion_desired;
    reply.metadata.recursion_available = true;
    match query.queries.as_slice() {
        [question] if query.metadata.op_code == OpCode::Query => {
            reply.add_query(question.clone());
            resolve(question, &mut reply);
        }
        [_] => reply.metadata.response_code = ResponseCode::NotImp,
        _ => reply.metadata.response_code = ResponseCode::FormErr,
    }
    reply.to_vec().ok()
}

fn resolve(question: &Query, reply: &mut Message) {
    let asked = question.name().to_ascii().trim_end_matches('.').to_ascii_lowercase();
    let zone = ZONES.iter().find(|z| asked == **z || asked.ends_with(&format!(".{z}")));
    let Some(zone) = zone else {
        reply.metadata.response_code = ResponseCode::NXDomain;
        return;
    };
    reply.metadata.authoritative = true;
    let host = OPERATOR_HOSTS.iter().chain(&INTERNET_HOSTS).find(|h| h.name == asked);
    match (host, question.query_type()) {
        (Some(host), RecordType::A) => {
            reply.add_answer(Record::from_rdata(question.name().clone(), TTL, RData::A(A(host.ipv4))));
        }
        (Some(host), RecordType::AAAA) => {
            reply.add_answer(Record::from_rdata(question.name().clone(), TTL, RData::AAAA(AAAA(host.ipv6))));
        }
        (host, _) => {
            if host.is_none() && asked != *zone {
                reply.metadata.response_code = ResponseCode::NXDomain;
            }
            if let Some(soa) = start_of_authority(zone) {
                reply.add_authority(soa);
            }
        }
    }
}

fn start_of_authority(zone: &str) -> Option<Record> {
    let name = Name::from_str(&format!("{zone}.")).ok()?;
    let server = Name::from_str(&format!("{}.", DNS.name)).ok()?;
    let person = Name::from_str(&format!("hostmaster.{zone}.")).ok()?;
    Some(Record::from_rdata(name, TTL, RData::SOA(SOA::new(server, person, 1, 3600, 600, 86400, TTL))))
}

/// A query for the addresses of `name`, as a client sends it.
///
/// # Errors
/// The name is not a domain name.
pub fn question(name: &str, id: u16, ipv6: bool) -> Result<Vec<u8>, String> {
    let mut message = Message::new(id, MessageType::Query, OpCode::Query);
    message.metadata.recursion_desired = true;
    let name = Name::from_str(&format!("{}.", name.trim_end_matches('.'))).map_err(|e| e.to_string())?;
    message.add_query(Query::query(name, if ipv6 { RecordType::AAAA } else { RecordType::A }));
    message.to_vec().map_err(|e| e.to_string())
}

/// The addresses in an answer to [`question`].
///
/// # Errors
/// The answer is no message, belongs to another question, or names an error (`NXDomain` …).
pub fn addresses(reply: &[u8], id: u16) -> Result<Vec<IpAddr>, String> {
    let reply = Message::from_vec(reply).map_err(|e| e.to_string())?;
    if reply.metadata.id != id || reply.metadata.message_type != MessageType::Response {
        return Err("an answer to something else".into());
    }
    if reply.metadata.response_code != ResponseCode::NoError {
        return Err(reply.metadata.response_code.to_string());
    }
    Ok(reply
        .answers
        .iter()
        .filter_map(|r| match &r.data {
            RData::A(A(a)) => Some(IpAddr::V4(*a)),
            RData::AAAA(AAAA(a)) => Some(IpAddr::V6(*a)),
            _ => None,
        })
        .collect())
}

/// Answers over UDP and TCP on every address as long as the set of local tasks lives; the sockets are there when it
/// returns.
///
/// # Errors
/// A socket cannot be had.
pub async fn serve(addresses: &[IpAddr], watch: Watch) -> io::Result<()> {
    for address in addresses {
        let udp = UdpSocket::bind(SocketAddr::new(*address, 53)).await?;
        let tcp = TcpListener::bind(SocketAddr::new(*address, 53)).await?;
        tokio::task::spawn_local(datagrams(udp, watch.clone()));
        tokio::task::spawn_local(streams(tcp, watch.clone()));
    }
    Ok(())
}

async fn datagrams(socket: UdpSocket, watch: Watch) -> io::Result<()> {
    let mut buffer = vec![0; LARGEST_QUERY];
    loop {
        let (length, from) = socket.recv_from(&mut buffer).await?;
        let query = buffer.get(..length).unwrap_or_default();
        tell(query, &watch);
        if let Some(reply) = answer(query) {
            // The client may be gone by now; that is its own business.
            let _ = socket.send_to(&reply, from).await;
        }
    }
}

async fn streams(listener: TcpListener, watch: Watch) -> io::Result<()> {
    loop {
        let (mut stream, _) = listener.accept().await?;
        let watch = watch.clone();
        tokio::task::spawn_local(async move {
            while let Ok(length) = stream.read_u16().await {
                let mut query = vec![0; usize::from(length)];
                stream.read_exact(&mut query).await?;
                tell(&query, &watch);
                let Some(reply) = answer(&query) else { break };
                let length = u16::try_from(reply.len()).map_err(io::Error::other)?;
                stream.write_u16(length).await?;
                stream.write_all(&reply).await?;
            }
            io::Result::Ok(())
        });
    }
}

fn tell(query: &[u8], watch: &Watch) {
    if let Ok(message) = Message::from_vec(query) {
        for question in &message.queries {
            watch(&question.name().to_ascii());
        }
    }
}

/// The servers that a session is told.
#[must_use]
pub fn servers(ipv4: bool, ipv6: bool) -> Vec<IpAddr> {
    let v4: Option<Ipv4Addr> = ipv4.then_some(DNS.ipv4);
    let v6: Option<Ipv6Addr> = ipv6.then_some(DNS.ipv6);
    v4.map(IpAddr::V4).into_iter().chain(v6.map(IpAddr::V6)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::{PORTAL, PROBE};

    fn ask(name: &str, ipv6: bool) -> Result<Vec<IpAddr>, String> {
        addresses(&answer(&question(name, 7, ipv6).unwrap()).unwrap(), 7)
    }

    #[test]
    fn own_names_have_both_families() {
        assert_eq!(ask(PORTAL.name, false), Ok(vec![IpAddr::V4(PORTAL.ipv4)]));
        assert_eq!(ask("PROBE.Internet.example", true), Ok(vec![IpAddr::V6(PROBE.ipv6)]));
        assert_eq!(ask("mobile.example", false), Ok(vec![]), "the zone itself has no address");
    }

    #[test]
    fn nothing_else_exists() {
        for name in ["no-such.internet.example", "example.org", "notmobile.example", "ipv4only.arpa"] {
            assert_eq!(ask(name, false), Err(ResponseCode::NXDomain.to_string()), "{name}");
        }
    }

    #[test]
    fn rubbish_is_met_with_silence() {
        let query = question(PORTAL.name, 9, false).unwrap();
        for length in 0..query.len() {
            assert_eq!(answer(&query[..length]), None, "cut at {length}");
        }
        let reply = answer(&query).unwrap();
        assert_eq!(answer(&reply), None, "answers are not answered");
    }
}
