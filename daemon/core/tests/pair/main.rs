//! The machine and the virtual modem, face to face in memory on one virtual clock.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test reports by panicking"
)]

mod adoption;
mod behind;
mod candidates;
mod card;
mod carrier;
mod chaos;
mod connecting;
mod driver;
mod faults;
mod hand_over;
mod kept_pin;
mod likeness;
mod main_job;
mod proxy;
mod quota;
mod radio_and_pin;
mod replaying;
mod sessions;
mod sleep;
mod storing;
mod triggers;
mod usage;
