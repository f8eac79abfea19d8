//! Speaking to the machine and to servers: facts in, orders out, no decisions.

pub(crate) mod advertised;
pub(crate) mod clock;
pub(crate) mod counters;
pub(crate) mod dial;
pub(crate) mod dns;
pub(crate) mod fetch;
pub(crate) mod http;
pub(crate) mod ledger;
pub(crate) mod leftovers;
pub(crate) mod link;
pub(crate) mod logind;
pub(crate) mod modemmanager;
pub(crate) mod netlink;
pub(crate) mod networkmanager;
pub(crate) mod probe;
pub(crate) mod resident;
pub(crate) mod resolver;
pub(crate) mod rfkill;
pub(crate) mod testpage;
pub(crate) mod tls;
pub(crate) mod uevent;
pub(crate) mod unit;
pub(crate) mod verify;
pub(crate) mod window;
