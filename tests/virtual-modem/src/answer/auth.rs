//! Challenges of the network, answered by the card.

use super::{Answer, Row, STATUS_FAILURE, STATUS_INVALID_PARAMETERS, STATUS_SIM_NOT_INSERTED, decoded, encoded, of};
use crate::keys::{Keys, Verdict};
use crate::machine::{Ticket, VirtualModem};
use crate::sim::Slot;
use crate::wire::Command;
use core::time::Duration;
use mbim_proto::service::{AUTH, auth};

pub(super) static ROWS: &[Row] =
    &[of(AUTH, 1, Some(aka), None, false), of(AUTH, 2, Some(akap), None, false), of(AUTH, 3, Some(sim), None, false)];

const STATUS_INCORRECT_AUTN: u32 = 35;
const STATUS_SYNC_FAILURE: u32 = 36;
const STATUS_AMF_NOT_SET: u32 = 37;

fn keys(modem: &VirtualModem) -> Result<&Keys, Answer> {
    if let Some(status) = modem.card_problem() {
        return Err(Answer::status(status));
    }
    match &modem.profile.slot {
        Slot::Card(sim) => Ok(&sim.keys),
        _ => Err(Answer::status(STATUS_SIM_NOT_INSERTED)),
    }
}

/// Status and answer to a challenge. A token that the card does not know is a wrong one.
fn verdict(keys: &Keys, rand: [u8; 16], autn: [u8; 16], network: Option<&str>) -> (u32, auth::Aka) {
    let known = |challenge: &&crate::keys::Challenge| {
        challenge.rand == rand && challenge.autn == autn && challenge.network.as_deref() == network
    };
    match keys.aka.iter().find(known).map(|challenge| &challenge.verdict) {
        None => (STATUS_INCORRECT_AUTN, auth::Aka::default()),
        Some(Verdict::NotSeparated) => (STATUS_AMF_NOT_SET, auth::Aka::default()),
        Some(Verdict::OutOfStep(auts)) => (STATUS_SYNC_FAILURE, auth::Aka { auts: *auts, ..auth::Aka::default() }),
        Some(Verdict::Keys(response, integrity, ciphering)) => {
            let mut res = [0; 16];
            res.iter_mut().zip(response.reveal()).for_each(|(place, byte)| *place = *byte);
            let answer = auth::Aka {
                res: res.into(),
                res_len: u32::try_from(response.reveal().len().min(res.len())).unwrap_or(0),
                integrating_key: integrity.clone(),
                ciphering_key: ciphering.clone(),
                auts: [0; 14],
            };
            (0, answer)
        }
    }
}

fn aka(modem: &mut VirtualModem, _: Duration, command: &Command, _: Ticket) -> Result<Answer, Answer> {
    let asked: auth::AkaQuery = decoded(command)?;
    let (status, answer) = verdict(keys(modem)?, asked.rand, asked.autn, None);
    Ok(Answer::Done(status, encoded(&answer)))
}

fn akap(modem: &mut VirtualModem, _: Duration, command: &Command, _: Ticket) -> Result<Answer, Answer> {
    let asked: auth::AkapQuery = decoded(command)?;
    let (status, answer) = verdict(keys(modem)?, asked.rand, asked.autn, Some(&asked.network_name));
    let auth::Aka { res, res_len, integrating_key, ciphering_key, auts } = answer;
    Ok(Answer::Done(status, encoded(&auth::Akap { res, res_len, integrating_key, ciphering_key, auts })))
}

fn sim(modem: &mut VirtualModem, _: Duration, command: &Command, _: Ticket) -> Result<Answer, Answer> {
    let asked: auth::SimQuery = decoded(command)?;
    if !(2..=3).contains(&asked.n) {
        return Err(Answer::status(STATUS_INVALID_PARAMETERS));
    }
    let keys = keys(modem)?;
    let find = |rand: [u8; 16]| {
        let known = keys.sim.iter().find(|(known, ..)| *known == rand);
        known.map(|(_, sres, kc)| (sres.clone(), kc.clone())).ok_or(Answer::status(STATUS_FAILURE))
    };
    let (sres1, kc1) = find(asked.rand1)?;
    let (sres2, kc2) = find(asked.rand2)?;
    let (sres3, kc3) = if asked.n == 3 { find(asked.rand3)? } else { Default::default() };
    Ok(Answer::ok(&auth::SimResponse { sres1, kc1, sres2, kc2, sres3, kc3, n: asked.n }))
}
