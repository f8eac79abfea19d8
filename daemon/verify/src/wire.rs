//! What goes to the process that checks signatures and what comes back: a line of JSON, then octets whose lengths the line
//! names.

use daemon_provisioning::{Code, MAX_DOCUMENT, Signed, Signer};
use serde::{Deserialize, Serialize};

use crate::certificate::Root;
use crate::{Rejected, Request, Revocation, Verified};

/// Octets of a question: the document, every root of a system and lists.
pub const MAX_QUESTION: usize = 16 * 1024 * 1024;
/// Octets of an answer: a document and who signed it.
pub const MAX_ANSWER: usize = MAX_DOCUMENT + 256 * 1024;

/// Octets that are no question or no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireError(&'static str);

impl core::fmt::Display for WireError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.0)
    }
}

impl core::error::Error for WireError {}

#[derive(Serialize, Deserialize)]
struct Header {
    document: usize,
    clock: u64,
    sha1: bool,
    roots: Vec<RootHeader>,
    revocation_lists: Vec<usize>,
    fetched: Vec<usize>,
}

#[derive(Serialize, Deserialize)]
struct RootHeader {
    length: usize,
    extended_validation: Vec<String>,
}

/// A question as it is written.
#[derive(Debug)]
pub struct Question;

impl Question {
    /// The octets of a request.
    #[must_use]
    pub fn encode(request: &Request<'_>) -> Vec<u8> {
        let header = Header {
            document: request.document.len(),
            clock: request.clock,
            sha1: request.sha1,
            roots: request
                .roots
                .iter()
                .map(|root| RootHeader {
                    length: root.der.len(),
                    extended_validation: root.extended_validation.clone(),
                })
                .collect(),
            revocation_lists: request.revocation_lists.iter().map(Vec::len).collect(),
            fetched: request.fetched.iter().map(Vec::len).collect(),
        };
        // Strings and numbers are always JSON.
        let mut out = serde_json::to_vec(&header).unwrap_or_default();
        out.push(b'\n');
        out.extend_from_slice(request.document);
        for root in request.roots {
            out.extend_from_slice(&root.der);
        }
        for list in request.revocation_lists.iter().chain(request.fetched) {
            out.extend_from_slice(list);
        }
        out
    }

    /// Reads one.
    ///
    /// # Errors
    /// It is none.
    pub fn decode(octets: &[u8]) -> Result<Asked<'_>, WireError> {
        let (header, mut rest) = split(octets)?;
        let header: Header = serde_json::from_slice(header).map_err(|_| WireError("the question has no header"))?;
        let document = take(&mut rest, header.document)?;
        let mut roots = Vec::new();
        for root in header.roots {
            let der = take(&mut rest, root.length)?.to_vec();
            roots.push(Root { der, extended_validation: root.extended_validation });
        }
        let mut lists = |lengths: Vec<usize>| -> Result<Vec<_>, WireError> {
            lengths.into_iter().map(|length| take(&mut rest, length).map(<[u8]>::to_vec)).collect()
        };
        let revocation_lists = lists(header.revocation_lists)?;
        let fetched = lists(header.fetched)?;
        if !rest.is_empty() {
            return Err(WireError("something follows the question"));
        }
        Ok(Asked { document, clock: header.clock, sha1: header.sha1, roots, revocation_lists, fetched })
    }
}

/// A question as it arrived.
#[derive(Debug)]
pub struct Asked<'a> {
    document: &'a [u8],
    clock: u64,
    sha1: bool,
    roots: Vec<Root>,
    revocation_lists: Vec<Vec<u8>>,
    fetched: Vec<Vec<u8>>,
}

impl Asked<'_> {
    /// It as a request.
    #[must_use]
    pub fn request(&self) -> Request<'_> {
        Request {
            document: self.document,
            clock: self.clock,
            sha1: self.sha1,
            roots: &self.roots,
            revocation_lists: &self.revocation_lists,
            fetched: &self.fetched,
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Reply {
    Verified { octets: usize, signer: Signer, revocation: Revocation },
    Rejected { code: Code, reason: String, signed: Option<Signed> },
}

/// An answer as it is written.
#[derive(Debug)]
pub struct Answer;

impl Answer {
    /// The octets of a result.
    #[must_use]
    pub fn encode(result: &Result<Verified, Rejected>) -> Vec<u8> {
        let (reply, octets): (_, &[u8]) = match result {
            Ok(Verified { octets, signer, revocation }) => {
                let (signer, revocation) = (signer.clone(), revocation.clone());
                (Reply::Verified { octets: octets.len(), signer, revocation }, octets)
            }
            Err(Rejected { code, reason, signed }) => {
                (Reply::Rejected { code: *code, reason: reason.clone(), signed: signed.clone() }, &[])
            }
        };
        // Strings and numbers are always JSON.
        let mut out = serde_json::to_vec(&reply).unwrap_or_default();
        out.push(b'\n');
        out.extend_from_slice(octets);
        out
    }

    /// Reads one.
    ///
    /// # Errors
    /// It is none.
    pub fn decode(octets: &[u8]) -> Result<Result<Verified, Rejected>, WireError> {
        let (header, mut rest) = split(octets)?;
        let reply: Reply = serde_json::from_slice(header).map_err(|_| WireError("the answer has no header"))?;
        let result = match reply {
            Reply::Verified { octets, signer, revocation } => {
                Ok(Verified { octets: take(&mut rest, octets)?.to_vec(), signer, revocation })
            }
            Reply::Rejected { code, reason, signed } => Err(Rejected { code, reason, signed }),
        };
        if !rest.is_empty() {
            return Err(WireError("something follows the answer"));
        }
        Ok(result)
    }
}

fn split(octets: &[u8]) -> Result<(&[u8], &[u8]), WireError> {
    let end = octets.iter().position(|octet| *octet == b'\n').ok_or(WireError("there is no header"))?;
    let (header, rest) = octets.split_at_checked(end).ok_or(WireError("there is no header"))?;
    Ok((header, rest.get(1..).unwrap_or_default()))
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], WireError> {
    let (taken, after) = rest.split_at_checked(length).ok_or(WireError("octets are missing"))?;
    *rest = after;
    Ok(taken)
}
