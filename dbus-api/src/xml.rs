//! The documented introspection XML, the source of truth of the API.

/// The interface that users' agents serve, and its definition.
pub const AGENT: (&str, &str) = (crate::name::AGENT, include_str!("../xml/agent/org.mbimd.Mbimd1.Agent.xml"));

/// Interface name and its definition.
pub const OWN: &[(&str, &str)] = &[
    (crate::name::MANAGER, include_str!("../xml/own/org.mbimd.Mbimd1.Manager.xml")),
    (crate::name::PROVISIONING, include_str!("../xml/own/org.mbimd.Mbimd1.Provisioning.xml")),
    (crate::name::MODEM, include_str!("../xml/own/org.mbimd.Mbimd1.Modem.xml")),
    (crate::name::SIM, include_str!("../xml/own/org.mbimd.Mbimd1.Sim.xml")),
    (crate::name::CONNECTION, include_str!("../xml/own/org.mbimd.Mbimd1.Connection.xml")),
    (crate::name::CONNECTIVITY, include_str!("../xml/own/org.mbimd.Mbimd1.Connectivity.xml")),
    (crate::name::USAGE, include_str!("../xml/own/org.mbimd.Mbimd1.Usage.xml")),
];
