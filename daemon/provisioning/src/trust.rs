//! The trust table: who may hand over what, signed how, and whether the user is asked. [PROV 12.3]
//!
//! One function over plain values. Everything that decides stands in [`Case`]; nothing else does.

use crate::code::Code;
use crate::signer::Chain;

/// Where a document comes from, as far as trust goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A program on this machine that the administrator bound to an operator.
    BoundProgram,
    /// Any other program on this machine.
    Program,
    /// A web site.
    Website,
    /// An earlier document's refresh: nobody is there to be asked.
    Refresh,
    /// The administrator of this machine.
    Administrator,
}

/// All that decides.
#[derive(Debug, Clone)]
pub(crate) struct Case<'a> {
    pub(crate) origin: Origin,
    /// Whether a SIM is present.
    pub(crate) sim: bool,
    /// `None`: unsigned. A signature that does not hold never gets here.
    pub(crate) signature: Option<Signature<'a>>,
}

/// A signature that holds, and what is known of its certificate.
#[derive(Debug, Clone)]
pub(crate) struct Signature<'a> {
    pub(crate) chain: &'a Chain,
    /// Key usage has digitalSignature.
    pub(crate) may_sign: bool,
    /// Named by operator data, service metadata or an earlier document.
    pub(crate) supplied: bool,
    /// The user said yes to it before.
    pub(crate) consented: bool,
}

/// The verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Taken.
    Accept,
    /// Taken if the user says yes.
    Ask,
    /// Not taken.
    Refuse(Code, String),
}

/// The table.
pub(crate) fn decide(case: &Case<'_>) -> Verdict {
    let refuse = |code, reason: &str| Verdict::Refuse(code, reason.to_owned());
    let needs_signature = match (case.origin, case.sim) {
        (Origin::Administrator, _) | (Origin::BoundProgram, true) => None,
        (Origin::BoundProgram, false) => Some("no modem has the operator's SIM"),
        (Origin::Program, _) => Some("the program is bound to no carrier"),
        (Origin::Website, _) => Some("it comes from a web site"),
        (Origin::Refresh, _) => Some("it comes from a refresh"),
    };
    match (needs_signature, &case.signature) {
        // A signature that is not needed has to hold, and that is all. [READING]
        (None, _) => Verdict::Accept,
        (Some(why), None) => refuse(Code::MISSING_SIGNATURE, &format!("the document must be signed: {why}")),
        (Some(_), Some(signature)) => match signature {
            Signature { chain: Chain::Untrusted { reason }, .. } => {
                refuse(Code::SIGNATURE_UNTRUSTED, &format!("the signer's certificate is not trusted: {reason}"))
            }
            Signature { may_sign: false, .. } => {
                let reason = "the signer's certificate is not for signing (no digitalSignature in its key usage)";
                refuse(Code::CERTIFICATE_INVALID_FOR_SIGNING, reason)
            }
            Signature { supplied: true, .. } => Verdict::Accept,
            Signature { chain: Chain::Trusted { extended_validation: false, .. }, .. } => {
                let reason = "nobody named the signer's certificate before, and it has no extended validation";
                refuse(Code::CERTIFICATE_INVALID_FOR_SIGNING, reason)
            }
            Signature { consented: true, .. } => Verdict::Accept,
            Signature { .. } if case.origin == Origin::Refresh => {
                refuse(Code::SIGNER_UNTRUSTED, "the user did not approve the signer before, and a refresh asks nobody")
            }
            Signature { .. } => Verdict::Ask,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Origin::{Administrator, BoundProgram, Program, Refresh, Website};

    const ORIGINS: [Origin; 5] = [BoundProgram, Program, Website, Refresh, Administrator];

    fn chain(extended_validation: bool) -> Chain {
        Chain::Trusted { root: "CN=r".to_owned(), extended_validation }
    }

    fn code(verdict: &Verdict) -> Option<Code> {
        match verdict {
            Verdict::Refuse(code, _) => Some(*code),
            _ => None,
        }
    }

    /// Every combination, against the rules said once more and in another way. PROV-176 to PROV-184, PROV-219, PROV-232.
    #[test]
    fn every_row() {
        let untrusted = Chain::Untrusted { reason: "r".to_owned() };
        let chains = [untrusted, chain(false), chain(true)];
        let mut rows = 0;
        for origin in ORIGINS {
            for sim in [false, true] {
                let unsigned = decide(&Case { origin, sim, signature: None });
                let free = origin == Administrator || (origin == BoundProgram && sim);
                assert_eq!(code(&unsigned), (!free).then_some(Code::MISSING_SIGNATURE), "{origin:?} {sim}");
                for (chain, trusted, extended) in
                    [(&chains[0], false, false), (&chains[1], true, false), (&chains[2], true, true)]
                {
                    for bits in 0..8 {
                        let (may_sign, supplied, consented) = (bits & 1 > 0, bits & 2 > 0, bits & 4 > 0);
                        let signature = Some(Signature { chain, may_sign, supplied, consented });
                        let verdict = decide(&Case { origin, sim, signature });
                        rows += 1;
                        let row = format!("{origin:?} sim {sim} {chain:?} {may_sign} {supplied} {consented}");
                        if free {
                            assert_eq!(verdict, Verdict::Accept, "{row}");
                            continue;
                        }
                        let accepted = trusted && may_sign && (supplied || (extended && consented));
                        assert_eq!(verdict == Verdict::Accept, accepted, "{row}");
                        let asked = trusted && may_sign && !supplied && extended && !consented && origin != Refresh;
                        assert_eq!(verdict == Verdict::Ask, asked, "{row}");
                        if !accepted && !asked {
                            let expected = if !trusted {
                                Code::SIGNATURE_UNTRUSTED
                            } else if !may_sign || !extended {
                                Code::CERTIFICATE_INVALID_FOR_SIGNING
                            } else {
                                Code::SIGNER_UNTRUSTED
                            };
                            assert_eq!(code(&verdict), Some(expected), "{row}");
                        }
                    }
                }
            }
        }
        assert_eq!(rows, 5 * 2 * 3 * 8);
    }

    /// The three rows of the published table, as they are printed.
    #[test]
    fn the_published_table() {
        let (plain, extended) = (chain(false), chain(true));
        let signed = |chain, supplied, consented| Some(Signature { chain, may_sign: true, supplied, consented });
        let verdict = |origin, sim, signature| decide(&Case { origin, sim, signature });
        // SIM, the operator's own program: none needed, none asked.
        assert_eq!(verdict(BoundProgram, true, None), Verdict::Accept);
        // SIM, web site: trusted root and named by operator data; none asked.
        assert_eq!(verdict(Website, true, signed(&plain, true, false)), Verdict::Accept);
        // No SIM: trusted root and extended validation; asked the first time, then never again.
        assert_eq!(verdict(Program, false, signed(&extended, false, false)), Verdict::Ask);
        assert_eq!(verdict(Program, false, signed(&extended, false, true)), Verdict::Accept);
    }
}
