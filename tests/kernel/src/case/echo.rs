//! Echo requests through the modem's interface that go on for as long as the daemon is disturbed.

use std::collections::BTreeSet;
use std::path::PathBuf;

use harness::virtual_operator::Error;
use harness::virtual_operator::address::{DATA_LINK, WWW};
use harness::wait;

use super::Outcome;
use crate::guest::Guest;
use crate::stage::PATIENCE;

/// Seconds between two requests.
const PACE: f64 = 0.2;
/// The most that a restart may cost, seconds.
const MOST_LOST: f64 = 2.0;
/// Answers that must come before and after what disturbs.
const SOME: usize = 10;
/// Name of the program and of its log.
const PING: &str = "ping";

/// The requests, while they go on.
pub(super) struct Echo {
    log: PathBuf,
}

impl Echo {
    /// Begins, and waits until some are answered.
    pub(super) async fn start(guest: &mut Guest) -> Result<Self, Error> {
        let (pace, to) = (PACE.to_string(), WWW.ipv4.to_string());
        guest.spawn(PING, "ping", &["-n", "-I", DATA_LINK, "-i", &pace, &to])?;
        let this = Self { log: guest.logs().join(format!("{PING}.log")) };
        this.more().await?;
        Ok(this)
    }

    /// Requests that were answered, by their numbers.
    fn answered(&self) -> BTreeSet<u32> {
        let said = std::fs::read_to_string(&self.log).unwrap_or_default();
        let answers = said.lines().filter(|line| line.contains("time="));
        answers.filter_map(|line| line.split_once("icmp_seq=")?.1.split(' ').next()?.parse().ok()).collect()
    }

    async fn more(&self) -> Result<(), Error> {
        let due = self.answered().len() + SOME;
        wait::until("answers to ping", PATIENCE, || async { (self.answered().len() >= due).then_some(()) }).await
    }

    /// Waits until some more are answered, and ends; no row of requests that were not answered may be longer than allowed.
    /// `name` of the figures.
    pub(super) async fn end(self, guest: &mut Guest, name: &str) -> Outcome {
        self.more().await?;
        guest.stop(PING).await?;
        let answered = self.answered();
        let sent = answered.last().copied().unwrap_or_default();
        let (gap, lost) = (longest_gap(&answered), sent as usize - answered.len());
        guest.figure(&format!("{name}-ping-gap"), gap, "s");
        guest.figure(&format!("{name}-ping-lost"), lost as f64, &format!("of {sent}"));
        if gap > MOST_LOST {
            return Err(format!("ping was silent for {gap} s, {lost} of {sent} lost").into());
        }
        Ok(())
    }
}

/// The longest row of requests that were not answered, from the first to the last that was, seconds.
fn longest_gap(answered: &BTreeSet<u32>) -> f64 {
    let before = [0].into_iter().chain(answered.iter().copied());
    let longest = before.zip(answered).map(|(before, number)| number - before - 1).max();
    f64::from(longest.unwrap_or_default()) * PACE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_gap_is_the_longest_row_that_is_missing() {
        for (answered, missing) in [(&[][..], 0), (&[1, 2, 3], 0), (&[3, 4], 2), (&[1, 3, 7, 9], 3)] {
            let gap = longest_gap(&answered.iter().copied().collect());
            assert!((gap - f64::from(missing) * PACE).abs() < 1e-9, "{answered:?}: {gap}");
        }
    }
}
