//! Known defects of real modems, each as a switch that produces the symptom. The numbers are the rows of the table of
//! quirks in the reference ("Quirks of real devices").

use core::time::Duration;

/// How a function that is still open from before takes an OPEN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StillOpen {
    /// It does not answer.
    Silent,
    /// It answers FUNCTION_ERROR `unknown`.
    FunctionError,
    /// It answers with a CLOSE_DONE that nobody asked for.
    StrayCloseDone,
}

/// All defects; the default has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Misbehaviour {
    /// Q1, Q2: the function is still open after a crash of the host's program. Every OPEN is taken so until a CLOSE
    /// came. The symptom is a bring-up that hangs or fails at OPEN.
    pub still_open: Option<StillOpen>,
    /// Q3: OPEN stays unanswered for this long after power-on.
    pub deaf_for: Duration,
    /// Q3: this many OPENs are answered with `busy`.
    pub busy_opens: u32,
    /// Q4: CONNECT set fails with `not-initialized` until SUBSCRIBER_READY_STATUS was queried in the session.
    pub connect_wants_ready_query: bool,
    /// Q5: the PIN query shows PIN2 locked when all is well.
    pub pin2_shown: bool,
    /// Q12: CONNECT query says state `unknown` before the first activation.
    pub connect_state_unknown: bool,
    /// Q22: signal reports stop when the interval is set to 0.
    pub zero_interval_stops_signal: bool,
    /// Q23: this many RADIO_STATE sets to `on` are answered with `operation-not-allowed`.
    pub radio_refusals: u32,
    /// Q24: FirmwareInfo is empty.
    pub no_firmware_info: bool,
    /// Q25: ready state is `sim-not-inserted` while the card starts.
    pub sim_missing_while_starting: bool,
    /// Q27: two messages leave in one piece whenever two are waiting.
    pub joins_messages: bool,
    /// Q27: this many zero bytes follow each message beyond its MessageLength. For plugs that keep messages apart; on a
    /// stream they would be taken for the next header.
    pub trailing_bytes: usize,
    /// Q28: the size halves of pair lists over-state by this much.
    pub pair_size_bias: u32,
    /// Q28: added to InformationBufferLength of answers and indications whose buffer is not empty.
    pub buffer_length_bias: i32,
    /// Q29: indications of services that were not subscribed, of an unknown service and of an unknown CID come along
    /// with the answer to the first command of a session.
    pub stray_indications: bool,
    /// Indications carry a number of their own instead of transaction 0.
    pub numbered_indications: bool,
    /// VERSION is answered with the modem's own release even where the host's is lower. The lower one is in force all
    /// the same; libmbim 1.28 then expects the layouts of the higher.
    pub answers_own_release: bool,
    /// This many CONNECT activations are answered with `busy`.
    pub busy_connects: u32,
    /// The same access point in a second session is answered with `operation-not-allowed`.
    pub one_session_per_apn: bool,
}
