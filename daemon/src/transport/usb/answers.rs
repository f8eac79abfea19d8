//! When an answer is fetched over endpoint 0: a state machine that is told of notifications and of what a fetch gave, and
//! says when to fetch next. It knows neither USB nor a clock; times are since an arbitrary start. `[MBIM1.0 9, CDC 6.3]`
//!
//! The function owes one answer for each RESPONSE_AVAILABLE. That rule alone hangs with a device that loses one, so an
//! answer that is overdue is asked for without; and it spins with a device that announces what it does not have, so
//! announcements that bring nothing are listened to less and less.

use std::time::Duration;

/// Most answers that are owed at once; a device that announces more announces too much.
const MOST_OWED: u32 = 64;
/// First pause after a command until an answer is asked for that nobody announced. It doubles.
pub(crate) const OVERDUE: Duration = Duration::from_secs(1);
/// Times that an overdue answer is asked for.
const ASKS: u32 = 6;
/// Announcements in a row that bring nothing before the device is listened to less.
const EMPTY: u32 = 32;
/// First pause of not listening. It doubles.
const DEAF: Duration = Duration::from_millis(50);
/// Longest such pause.
const DEAFEST: Duration = Duration::from_secs(5);
/// Time of listening without another announcement after which a flood is over.
const CALM: Duration = Duration::from_secs(10);
/// Answers in a row that only asking brought, without a single announcement, that are a trouble. One or two may have
/// overtaken their announcements, which take another way and wait for a host that is busy.
const UNANNOUNCED: u32 = 3;
/// Failed fetches or commands in a row that are a trouble.
const FAILURES: u32 = 3;
/// Pause after a failed fetch; a device that refuses at once is not asked in a loop.
const BREATH: Duration = Duration::from_millis(100);

/// What a fetch gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fetched {
    /// Octets of an answer.
    Answer,
    /// Octets of a message that nobody asked for.
    Indication,
    /// Octets that are no message; what else is owed may be one.
    Garbage,
    /// Nothing: an empty or stalled transfer.
    Nothing,
    /// No answer in time, or a fault on the bus.
    Failed,
}

/// What the fetcher does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing is under way.
    Quiet,
    /// A fetch is under way.
    Fetching,
    /// The last fetch failed; the next is not before this time.
    Breathing(Duration),
}

/// Why the fetch under way, or the next, is made without an announcement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ask {
    /// It is not.
    No,
    /// An answer is overdue.
    Overdue,
    /// What was not announced may not be alone.
    More,
}

/// Why answers do not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Fetches or commands fail.
    Refused,
    /// It announces answers that it does not have.
    Flood,
    /// It has answers that it does not announce.
    Unannounced,
}

/// The machine.
#[derive(Clone, Debug)]
pub(crate) struct Answers {
    state: State,
    /// Announced and not fetched.
    owed: u32,
    /// Commands sent less answers fetched.
    waiting: u32,
    /// When an overdue answer is asked for, and how often it was.
    overdue: Option<(Duration, u32)>,
    ask: Ask,
    /// Overdue answers that only asking brought since the last announcement.
    unannounced: u32,
    /// Announcements in a row that brought nothing.
    empty: u32,
    /// Not listened to before this time.
    deaf: Option<Duration>,
    deafness: Duration,
    /// When a flood is over unless it goes on.
    calm: Option<Duration>,
    /// Failed fetches in a row, and failed commands.
    failures: [u32; 2],
    trouble: Option<Trouble>,
}

impl Answers {
    /// Nothing was sent yet.
    pub(crate) const fn new() -> Self {
        Self {
            state: State::Quiet,
            owed: 0,
            waiting: 0,
            overdue: None,
            ask: Ask::No,
            unannounced: 0,
            empty: 0,
            deaf: None,
            deafness: DEAF,
            calm: None,
            failures: [0; 2],
            trouble: None,
        }
    }

    /// What is wrong; `None` = nothing.
    pub(crate) const fn trouble(&self) -> Option<Trouble> {
        self.trouble
    }

    /// A command was taken by the device.
    pub(crate) fn sent(&mut self, now: Duration) {
        let [fetches, commands] = &mut self.failures;
        *commands = 0;
        if self.trouble == Some(Trouble::Refused) && *fetches == 0 {
            self.trouble = None;
        }
        self.waiting = self.waiting.saturating_add(1);
        self.overdue = Some((now.saturating_add(OVERDUE), 0));
    }

    /// A command was not taken by the device.
    pub(crate) fn unsent(&mut self) {
        let [_, commands] = &mut self.failures;
        *commands = commands.saturating_add(1);
        if *commands >= FAILURES {
            self.trouble = Some(Trouble::Refused);
        }
    }

    /// The device announced an answer.
    pub(crate) fn announced(&mut self, now: Duration) {
        self.owed = self.owed.saturating_add(1).min(MOST_OWED);
        // It does announce, be it late.
        self.unannounced = 0;
        if self.trouble == Some(Trouble::Unannounced) {
            self.trouble = None;
        }
        self.empty = self.empty.saturating_add(1);
        if self.empty > EMPTY {
            self.trouble = Some(Trouble::Flood);
            let until = now.saturating_add(self.deafness);
            self.deaf = Some(until);
            self.calm = Some(until.saturating_add(CALM));
            self.deafness = self.deafness.saturating_mul(2).min(DEAFEST);
        }
    }

    /// Whether announcements are to be listened to.
    pub(crate) fn listens(&self, now: Duration) -> bool {
        self.deaf.is_none_or(|until| now >= until)
    }

    /// Whether a fetch is to be begun now; if so it is under way from here on.
    pub(crate) fn fetch(&mut self, now: Duration) -> bool {
        if let Some((at, asks)) = self.overdue
            && now >= at
        {
            self.ask = Ask::Overdue;
            let next = OVERDUE.saturating_mul(1 << (asks + 1).min(ASKS));
            self.overdue = (asks + 1 < ASKS).then(|| (now.saturating_add(next), asks + 1));
        }
        match self.state {
            State::Fetching => return false,
            State::Breathing(until) if now < until => return false,
            State::Quiet | State::Breathing(_) => {}
        }
        if self.owed == 0 && self.ask == Ask::No {
            return false;
        }
        self.state = State::Fetching;
        true
    }

    /// The fetch under way ended.
    pub(crate) fn fetched(&mut self, now: Duration, what: Fetched) {
        self.state = State::Quiet;
        match what {
            Fetched::Answer | Fetched::Indication => {
                self.reached();
                if self.owed == 0 {
                    self.was_unannounced();
                    self.ask = Ask::More;
                } else {
                    self.owed -= 1;
                    self.ask = Ask::No;
                    self.listen();
                    if self.trouble == Some(Trouble::Flood) {
                        self.trouble = None;
                    }
                }
                if what == Fetched::Answer {
                    self.waiting = self.waiting.saturating_sub(1);
                    self.overdue = (self.waiting > 0).then(|| (now.saturating_add(OVERDUE), 0));
                }
            }
            Fetched::Garbage => {
                (self.owed, self.ask) = (self.owed.saturating_sub(1), Ask::No);
                self.reached();
            }
            Fetched::Nothing => {
                (self.owed, self.ask) = (0, Ask::No);
                self.reached();
            }
            Fetched::Failed => {
                // What is owed stays owed; what was only asked for is asked for at the next time.
                self.ask = Ask::No;
                let [fetches, _] = &mut self.failures;
                *fetches = fetches.saturating_add(1);
                if *fetches >= FAILURES {
                    self.trouble = Some(Trouble::Refused);
                    self.owed = 0;
                }
                self.state = State::Breathing(now.saturating_add(BREATH));
            }
        }
    }

    /// A fetch got through to the device.
    fn reached(&mut self) {
        let [fetches, commands] = &mut self.failures;
        *fetches = 0;
        if self.trouble == Some(Trouble::Refused) && *commands < FAILURES {
            self.trouble = None;
        }
    }

    /// What was fetched was not announced: by a device that is listened to, it may have lost its announcement.
    fn was_unannounced(&mut self) {
        if self.ask != Ask::Overdue || self.deaf.is_some() {
            return;
        }
        self.unannounced = self.unannounced.saturating_add(1);
        if self.unannounced >= UNANNOUNCED && self.trouble.is_none() {
            self.trouble = Some(Trouble::Unannounced);
        }
    }

    /// Announcements are believed again.
    fn listen(&mut self) {
        (self.empty, self.deaf, self.deafness, self.calm) = (0, None, DEAF, None);
    }

    /// When to look again without anything having happened.
    pub(crate) fn wake(&self) -> Option<Duration> {
        let breath = match self.state {
            State::Breathing(until) if self.owed > 0 || self.ask != Ask::No => Some(until),
            _ => None,
        };
        [breath, self.overdue.map(|(at, _)| at), self.deaf, self.calm].into_iter().flatten().min()
    }

    /// Forgets what lies behind, as far as waking goes.
    pub(crate) fn woken(&mut self, now: Duration) {
        if self.deaf.is_some_and(|until| now >= until) {
            self.deaf = None;
        }
        if self.calm.is_some_and(|until| now >= until) {
            self.listen();
            if self.trouble == Some(Trouble::Flood) {
                self.trouble = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn one_fetch_for_each_announcement() {
        let mut answers = Answers::new();
        assert!(!answers.fetch(at(0)));
        answers.sent(at(0));
        assert!(!answers.fetch(at(1)), "not announced");
        answers.announced(at(2));
        answers.announced(at(2));
        assert!(answers.fetch(at(2)));
        assert!(!answers.fetch(at(2)), "one at a time");
        answers.fetched(at(3), Fetched::Answer);
        assert!(answers.fetch(at(3)));
        answers.fetched(at(4), Fetched::Indication);
        assert!(!answers.fetch(at(4)));
        assert_eq!((answers.wake(), answers.trouble()), (None, None), "idle takes no time");
    }

    #[test]
    fn an_empty_fetch_is_no_failure_and_pays_all_debts() {
        let mut answers = Answers::new();
        answers.announced(at(0));
        answers.announced(at(0));
        assert!(answers.fetch(at(0)));
        answers.fetched(at(0), Fetched::Nothing);
        assert!(!answers.fetch(at(0)));
        assert_eq!(answers.trouble(), None);
    }

    #[test]
    fn an_answer_that_nobody_announced_is_asked_for() {
        let mut answers = Answers::new();
        answers.sent(at(0));
        assert_eq!(answers.wake(), Some(OVERDUE));
        assert!(!answers.fetch(at(999)));
        assert!(answers.fetch(at(1000)));
        answers.fetched(at(1001), Fetched::Nothing);
        assert!(!answers.fetch(at(1002)));
        assert_eq!(answers.wake(), Some(at(3000)));
        assert!(answers.fetch(at(3000)));
        answers.fetched(at(3001), Fetched::Answer);
        assert!(answers.fetch(at(3001)), "it may not be alone");
        answers.fetched(at(3002), Fetched::Nothing);
        assert!(!answers.fetch(at(3003)));
        assert_eq!((answers.wake(), answers.trouble()), (None, None), "the answer is here");
    }

    /// A command at this time whose answer, and an indication with it, only asking brings.
    fn unannounced(answers: &mut Answers, now: Duration) {
        answers.sent(now);
        assert!(answers.fetch(now + OVERDUE));
        answers.fetched(now + OVERDUE, Fetched::Answer);
        for what in [Fetched::Indication, Fetched::Nothing] {
            assert!(answers.fetch(now + OVERDUE));
            answers.fetched(now + OVERDUE, what);
        }
    }

    #[test]
    fn a_device_that_announces_nothing_is_named_until_it_announces() {
        let mut answers = Answers::new();
        for round in 1..=UNANNOUNCED {
            assert_eq!(answers.trouble(), None, "before round {round}");
            unannounced(&mut answers, at(u64::from(round) * 10_000));
        }
        assert_eq!(answers.trouble(), Some(Trouble::Unannounced));
        assert_eq!(answers.wake(), None);
        answers.announced(at(60_000));
        assert_eq!(answers.trouble(), None, "no command is needed");
        assert!(answers.fetch(at(60_000)));
        answers.fetched(at(60_001), Fetched::Nothing);
        unannounced(&mut answers, at(70_000));
        assert_eq!(answers.trouble(), None, "it is counted from the start");
    }

    #[test]
    fn answers_that_overtake_their_announcements_are_no_trouble() {
        let mut answers = Answers::new();
        for round in 1..=10 * UNANNOUNCED {
            let now = at(u64::from(round) * 10_000);
            unannounced(&mut answers, now);
            assert_eq!(answers.trouble(), None, "round {round}");
            // Those of the answer and of the indication, late.
            for _ in 0..2 {
                answers.announced(now + 2 * OVERDUE);
            }
            assert!(answers.fetch(now + 2 * OVERDUE));
            answers.fetched(now + 2 * OVERDUE, Fetched::Nothing);
            // One that comes in time.
            answers.sent(now + 3 * OVERDUE);
            answers.announced(now + 3 * OVERDUE);
            assert!(answers.fetch(now + 3 * OVERDUE));
            answers.fetched(now + 3 * OVERDUE, Fetched::Answer);
        }
    }

    #[test]
    fn what_was_not_listened_to_was_not_lost() {
        let mut answers = Answers::new();
        for _ in 0..=EMPTY {
            answers.announced(at(0));
        }
        assert!(answers.fetch(at(0)));
        answers.fetched(at(0), Fetched::Nothing);
        for _ in 0..2 * UNANNOUNCED {
            // Its announcement, and many more, are passed over.
            assert!(!answers.listens(at(1)));
            answers.sent(at(1));
            answers.overdue = Some((at(1), 0));
            assert!(answers.fetch(at(1)));
            answers.fetched(at(1), Fetched::Answer);
            assert!(answers.fetch(at(1)));
            answers.fetched(at(1), Fetched::Nothing);
            assert_eq!(answers.trouble(), Some(Trouble::Flood), "that is what is wrong");
        }
    }

    #[test]
    fn what_never_comes_is_not_asked_for_for_ever() {
        let mut answers = Answers::new();
        answers.sent(at(0));
        let mut asks = 0;
        while let Some(next) = answers.wake() {
            assert!(answers.fetch(next));
            answers.fetched(next, Fetched::Nothing);
            asks += 1;
            assert!(asks <= ASKS);
        }
        assert_eq!(asks, ASKS);
    }

    #[test]
    fn a_flood_is_listened_to_less_and_less() {
        let mut answers = Answers::new();
        let mut now = at(0);
        let mut heard = 0;
        while now < at(60_000) {
            if answers.listens(now) {
                answers.woken(now);
                answers.announced(now);
                heard += 1;
                while answers.fetch(now) {
                    answers.fetched(now, Fetched::Nothing);
                }
            }
            now += at(1);
        }
        assert!(heard < 60, "{heard} of 60000");
        assert_eq!(answers.trouble(), Some(Trouble::Flood));
        let flooded = answers.clone();
        answers.announced(now);
        assert!(answers.fetch(now));
        answers.fetched(now, Fetched::Indication);
        assert_eq!(answers.trouble(), None);
        assert!(answers.listens(now));
        // One that has nothing to say for a time is over too.
        let mut answers = flooded;
        while let Some(wake) = answers.wake() {
            assert!(wake > now && answers.trouble() == Some(Trouble::Flood));
            now = wake;
            answers.woken(now);
        }
        assert_eq!(answers.trouble(), None);
        answers.announced(now);
        assert_eq!(answers.trouble(), None, "it starts anew");
    }

    #[test]
    fn commands_that_are_refused_are_a_trouble_until_one_is_taken() {
        let mut answers = Answers::new();
        for _ in 0..FAILURES {
            assert_eq!(answers.trouble(), None);
            answers.unsent();
        }
        assert_eq!(answers.trouble(), Some(Trouble::Refused));
        answers.announced(at(1));
        assert!(answers.fetch(at(1)));
        answers.fetched(at(1), Fetched::Indication);
        assert_eq!(answers.trouble(), Some(Trouble::Refused), "what it says is no answer");
        answers.sent(at(2));
        assert_eq!(answers.trouble(), None);
    }

    #[test]
    fn refusals_are_not_repeated_in_a_loop() {
        let mut answers = Answers::new();
        answers.announced(at(0));
        for round in 0..u64::from(FAILURES) {
            let now = at(round * 100);
            assert!(answers.fetch(now));
            answers.fetched(now, Fetched::Failed);
            assert!(!answers.fetch(now));
        }
        assert_eq!(answers.trouble(), Some(Trouble::Refused));
        assert!(!answers.fetch(at(10_000)), "nothing is owed by one who refuses");
        answers.announced(at(10_000));
        assert!(answers.fetch(at(10_000)));
        answers.fetched(at(10_000), Fetched::Answer);
        assert_eq!(answers.trouble(), None);
    }
}
