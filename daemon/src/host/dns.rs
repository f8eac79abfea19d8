//! Names by the bearer's own servers over the bearer's own link, never by the machine's resolver: another link's
//! answer would prove nothing. `[OPER 4.2]`

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::probe::Bearer;
use super::probe::cost::Cost;

/// Time for one try.
const TRY: Duration = Duration::from_secs(3);
/// Tries a name and family.
const TRIES: usize = 2;
/// Largest answer that is read, octets.
const LARGEST: usize = 4096;
/// Most datagrams that are looked at for one question: others may send what they like.
const MAX_DATAGRAMS: usize = 16;
/// Most addresses that are kept of an answer.
const MAX_ADDRESSES: usize = 8;

/// Families of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

/// What became of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Names {
    /// It has addresses.
    Found(Vec<IpAddr>),
    /// A server says that it has none of this family.
    None,
    /// Nobody answered, or with an error.
    Failed,
}

/// Asks for the addresses of one family.
pub(crate) async fn resolve(
    bearer: &Bearer,
    servers: &[SocketAddr],
    host: &str,
    family: Family,
    cost: Cost<'_>,
) -> Names {
    let Ok(mut name) = Name::from_ascii(host) else { return Names::None };
    name.set_fqdn(true);
    let kind = match family {
        Family::V4 => RecordType::A,
        Family::V6 => RecordType::AAAA,
    };
    for server in servers.iter().cycle().take(if servers.is_empty() { 0 } else { TRIES }) {
        // Silent, refusing or broken: the next try may reach another server.
        match tokio::time::timeout(TRY, ask(bearer, *server, &name, kind, cost)).await {
            Ok(Some(addresses)) if addresses.is_empty() => return Names::None,
            Ok(Some(addresses)) => return Names::Found(addresses),
            Ok(None) | Err(_) => {}
        }
    }
    Names::Failed
}

/// One question to one server. `None` = no usable answer.
async fn ask(
    bearer: &Bearer,
    server: SocketAddr,
    name: &Name,
    kind: RecordType,
    cost: Cost<'_>,
) -> Option<Vec<IpAddr>> {
    let mut id = [0; 2];
    rustix::rand::getrandom(&mut id[..], rustix::rand::GetRandomFlags::empty()).ok()?;
    let id = u16::from_ne_bytes(id);
    let question = question(id, name, kind)?;
    let socket = bearer.udp(server).await.ok()?;
    socket.send(&question).await.ok()?;
    cost.trip();
    cost.datagram(server, question.len());
    let mut buffer = vec![0; LARGEST];
    for _ in 0..MAX_DATAGRAMS {
        let count = socket.recv(&mut buffer).await.ok()?;
        cost.datagram(server, count);
        match read_answer(buffer.get(..count)?, id, name, kind) {
            Seen::NotOurs => {}
            Seen::Truncated => return ask_stream(bearer, server, &question, id, name, kind, cost).await,
            Seen::Addresses(addresses) => return Some(addresses),
            Seen::Failure => return None,
        }
    }
    None
}

async fn ask_stream(
    bearer: &Bearer,
    server: SocketAddr,
    question: &[u8],
    id: u16,
    name: &Name,
    kind: RecordType,
    cost: Cost<'_>,
) -> Option<Vec<IpAddr>> {
    let mut stream = cost.connect(bearer, server).await.ok()?;
    let length = u16::try_from(question.len()).ok()?;
    stream.write_all(&[&length.to_be_bytes()[..], question].concat()).await.ok()?;
    cost.trip();
    let length = stream.read_u16().await.ok()?;
    // Larger answers than a datagram holds are not wanted: two addresses are used.
    let mut answer = vec![0; usize::from(length).min(LARGEST)];
    stream.read_exact(&mut answer).await.ok()?;
    match read_answer(&answer, id, name, kind) {
        Seen::Addresses(addresses) => Some(addresses),
        Seen::NotOurs | Seen::Truncated | Seen::Failure => None,
    }
}

fn question(id: u16, name: &Name, kind: RecordType) -> Option<Vec<u8>> {
    let mut message = Message::new(id, MessageType::Query, OpCode::Query);
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(name.clone(), kind));
    message.to_vec().ok()
}

/// What a datagram turned out to be.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    NotOurs,
    Truncated,
    Failure,
    Addresses(Vec<IpAddr>),
}

fn read_answer(data: &[u8], id: u16, name: &Name, kind: RecordType) -> Seen {
    let Ok(message) = Message::from_vec(data) else { return Seen::NotOurs };
    let head = &message.metadata;
    let ours = head.id == id
        && head.message_type == MessageType::Response
        && message.queries.iter().any(|q| q.query_type() == kind && q.name().to_lowercase() == name.to_lowercase());
    if !ours {
        return Seen::NotOurs;
    }
    if head.truncation {
        return Seen::Truncated;
    }
    match head.response_code {
        ResponseCode::NoError => {}
        ResponseCode::NXDomain => return Seen::Addresses(Vec::new()),
        _ => return Seen::Failure,
    }
    let addresses = message.answers.iter().filter_map(|record| match (&record.data, kind) {
        (RData::A(a), RecordType::A) => Some(IpAddr::V4(a.0)),
        (RData::AAAA(a), RecordType::AAAA) => Some(IpAddr::V6(a.0)),
        _ => None,
    });
    Seen::Addresses(addresses.take(MAX_ADDRESSES).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use hickory_proto::rr::Record;
    use hickory_proto::rr::rdata::{A, CNAME};

    fn name(text: &str) -> Name {
        Name::from_ascii(text).unwrap()
    }

    fn answer(id: u16, change: impl FnOnce(&mut Message)) -> Vec<u8> {
        let mut message = Message::new(id, MessageType::Response, OpCode::Query);
        message.add_query(Query::query(name("Probe.Example."), RecordType::A));
        change(&mut message);
        message.to_vec().unwrap()
    }

    fn check(data: &[u8]) -> Seen {
        read_answer(data, 7, &name("probe.example."), RecordType::A)
    }

    #[test]
    fn answers_are_matched_to_the_question() {
        let address = || RData::A(A("192.0.2.7".parse().unwrap()));
        let alias = RData::CNAME(CNAME(name("other.example.")));
        let good = answer(7, |m| {
            m.add_answer(Record::from_rdata(name("probe.example."), 60, alias));
            m.add_answer(Record::from_rdata(name("other.example."), 60, address()));
        });
        assert_eq!(check(&good), Seen::Addresses(vec!["192.0.2.7".parse().unwrap()]));
        assert_eq!(check(&answer(8, |_| {})), Seen::NotOurs);
        assert_eq!(check(&answer(7, |m| m.metadata.message_type = MessageType::Query)), Seen::NotOurs);
        assert_eq!(check(&answer(7, |m| m.queries.clear())), Seen::NotOurs);
        assert_eq!(check(&answer(7, |m| m.metadata.truncation = true)), Seen::Truncated);
        assert_eq!(check(&answer(7, |m| m.metadata.response_code = ResponseCode::ServFail)), Seen::Failure);
        assert_eq!(check(&answer(7, |m| m.metadata.response_code = ResponseCode::NXDomain)), Seen::Addresses(vec![]));
        let many = answer(7, |m| {
            for _ in 0..20 {
                m.add_answer(Record::from_rdata(name("probe.example."), 60, address()));
            }
        });
        let Seen::Addresses(kept) = check(&many) else { panic!() };
        assert_eq!(kept.len(), MAX_ADDRESSES);
    }

    #[test]
    fn every_truncation_is_survived() {
        let good = answer(7, |m| {
            m.add_answer(Record::from_rdata(name("probe.example."), 60, RData::A(A("192.0.2.7".parse().unwrap()))));
        });
        for end in 0..good.len() {
            assert!(!matches!(check(&good[..end]), Seen::Addresses(a) if !a.is_empty()));
        }
    }

    #[test]
    fn the_question_is_small_and_recursive() {
        let bytes = question(0x1234, &name("probe.example."), RecordType::AAAA).unwrap();
        assert_eq!(&bytes[..4], &[0x12, 0x34, 0x01, 0x00]);
        assert!(bytes.len() < 64);
    }
}
