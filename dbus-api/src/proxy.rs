//! Client proxies, one file per interface. What the members mean, their units and errors: `xml/own`.

mod connection;
mod connectivity;
mod manager;
mod modem;
mod provisioning;
mod sim;
mod usage;

pub use connection::{ConnectionProxy, Finished, FinishedArgs, FinishedStream};
pub use connectivity::ConnectivityProxy;
pub use manager::ManagerProxy;
pub use modem::ModemProxy;
pub use provisioning::{JobChanged, JobChangedArgs, JobChangedStream, ProvisioningProxy};
pub use sim::SimProxy;
pub use usage::UsageProxy;
