//! What the planner is told of the machine, from the snapshots and the store.

use daemon_core::carrier::{CarrierNetwork, DnsRetry, NamedContext};
use daemon_core::effect::SubscriberKey;
use daemon_core::quota::{Charge, Quota, Told};
use daemon_core::snapshot::{SimReady, Snapshot};
use daemon_core::subscriber;
use daemon_operator::identity::DeviceId;
use daemon_provisioning::{
    Authentication, DataPlan, Facts, ModemFacts, Personal, PlanType, ProvisionedProfile, Secret, SimState, Stored,
    TrustedCertificate,
};

use crate::handle::ModemHandle;
use crate::store::{Store, Which};

/// Command of basic connect that takes an activation. `[MBIM1.0 10.5.14]`
const SERVICE_ACTIVATION: u32 = 14;

/// Under what the SIM's files are kept; `None` until it says who it is.
pub(super) fn key(snapshot: &Snapshot) -> Option<SubscriberKey> {
    let identity = &snapshot.sim.identity;
    if sim_state(snapshot) != SimState::Ready {
        return None;
    }
    let digits = identity.iccid.as_ref().map(|iccid| iccid.reveal());
    digits.or_else(|| identity.imsi.as_ref().map(|imsi| imsi.reveal())).map(SubscriberKey::new)
}

/// Facts of all modems, or of the one that was asked for.
pub(super) async fn of(modems: &[ModemHandle], only: Option<u32>, store: &Store) -> Facts {
    let mut facts = Facts::default();
    for handle in modems.iter().filter(|handle| only.is_none_or(|id| id == handle.id)) {
        let snapshot = handle.snapshot.borrow().clone();
        let mut modem = modem(handle.id, &snapshot);
        if let Some(key) = key(&snapshot)
            && let Ok(Some(stored)) = store.load(key).await
        {
            modem.default_profile = stored.default_profile.as_ref().map(profile);
            modem.purchase_profile = stored.purchase_profile.as_ref().map(profile);
        }
        facts.modems.push(modem);
    }
    facts
}

/// Under what is kept what documents of a carrier ordered for a customer.
pub(super) fn owner(key: &Personal<String>) -> SubscriberKey {
    SubscriberKey::new(key.reveal().as_str())
}

/// What earlier documents of the same carrier ordered for the same customer; nothing where it cannot be read.
pub(super) async fn kept(key: &Personal<String>, store: &Store) -> Stored {
    match store.kept(owner(key), Which::Kept).await {
        Ok(Some(bytes)) => serde_json::from_slice(&bytes).unwrap_or_else(|_| {
            tracing::warn!("what earlier documents ordered cannot be understood and is forgotten");
            Stored::default()
        }),
        Ok(None) => Stored::default(),
        Err(error) => {
            tracing::warn!(%error, "what earlier documents ordered cannot be read");
            Stored::default()
        }
    }
}

fn modem(id: u32, snapshot: &Snapshot) -> ModemFacts {
    let identity = &snapshot.sim.identity;
    let personal = |text: &str| Personal::new(text.to_owned());
    let services = snapshot.device.as_ref().map(|device| &device.services).filter(|services| !services.is_empty());
    ModemFacts {
        id,
        sim: sim_state(snapshot),
        imsi: identity.imsi.as_ref().map(|imsi| personal(imsi.reveal())),
        iccid: identity.iccid.as_ref().map(|iccid| personal(iccid.reveal())),
        imei: match &identity.device {
            Some(device @ DeviceId::Imei(_)) => Some(personal(device.reveal())),
            _ => None,
        },
        mac: snapshot.port.interface.as_deref().and_then(hardware_address).map(Personal::new),
        min: identity.min.as_ref().map(|min| personal(min.reveal())),
        provider_id: identity.provider_id.map(|plmn| plmn.as_str().to_owned()),
        provider_name: identity.provider_name.clone(),
        service_number: snapshot.operator.as_ref().and_then(|operator| operator.service_number.clone()),
        certificates: snapshot
            .operator
            .iter()
            .flat_map(|operator| &operator.certificates)
            .map(|(subject, issuer)| TrustedCertificate { subject: subject.clone(), issuer: issuer.clone() })
            .collect(),
        service_activation: services.map(|services| {
            services.iter().any(|(name, commands)| name == "basic-connect" && commands.contains(&SERVICE_ACTIVATION))
        }),
        default_profile: None,
        purchase_profile: None,
    }
}

fn hardware_address(interface: &str) -> Option<String> {
    let text = std::fs::read_to_string(std::path::Path::new("/sys/class/net").join(interface).join("address")).ok()?;
    Some(text.trim().to_owned()).filter(|address| !address.is_empty())
}

/// A SIM that waits for service activation has an identity and is what activation is for.
fn sim_state(snapshot: &Snapshot) -> SimState {
    let known = snapshot.sim.identity.imsi.is_some() || snapshot.sim.identity.iccid.is_some();
    match snapshot.sim.ready {
        SimReady::Initialized => SimState::Ready,
        SimReady::NotActivated if known => SimState::Ready,
        SimReady::NotInserted | SimReady::Bad | SimReady::Failure | SimReady::NoEsimProfile => SimState::Absent,
        _ => SimState::NotReady,
    }
}

/// A stored profile as the planner compares it; what it does not hold is absent.
fn profile(stored: &subscriber::ProvisionedProfile) -> ProvisionedProfile {
    let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    ProvisionedProfile {
        carrier_id: stored.carrier_id.clone(),
        name: stored.name.clone(),
        description: None,
        priority: 5,
        associated_plan: None,
        home_provider_name: None,
        apn: some(&stored.apn),
        username: some(&stored.user),
        password: some(stored.password.reveal()).map(Secret::new),
        authentication: match stored.auth.as_str() {
            "pap" => Authentication::Pap,
            "chap" => Authentication::Chap,
            "mschapv2" => Authentication::MsChapV2,
            _ => Authentication::None,
        },
        compression: false,
        roaming_partners: Vec::new(),
    }
}

/// A plan as the modem's task counts against it.
pub(super) fn quota(plan: &DataPlan, carrier_id: &str) -> Quota {
    let octets = |megabytes: u32| u64::from(megabytes) * 1_000_000;
    let description = plan.description.as_ref();
    Quota {
        carrier_id: carrier_id.to_owned(),
        name: plan.name.clone(),
        charge: match description.map(|description| description.plan_type) {
            Some(PlanType::Unrestricted) => Charge::Unrestricted,
            Some(PlanType::Variable) => Charge::Variable,
            Some(PlanType::Fixed) | None => Charge::Fixed,
        },
        limit: description.and_then(|description| description.data_limit_megabytes).map(octets),
        notifies: description.is_some_and(|description| description.notifies),
        told: plan.usage.map(|usage| Told {
            octets: octets(usage.megabytes),
            at: u64::try_from(usage.at.unix()).unwrap_or(0),
            over_limit: usage.over_limit,
            congested: usage.congested,
        }),
        ..Quota::default()
    }
}

/// What is kept for a customer as the machine stores it with the SIM.
pub(super) fn network(kept: &Stored, carrier_id: &str) -> CarrierNetwork {
    let (metadata, contexts) = (kept.metadata(), kept.contexts());
    let settings = metadata.and_then(|metadata| metadata.network_settings).unwrap_or_default();
    CarrierNetwork {
        carrier_id: carrier_id.to_owned(),
        ipv4_mtu: settings.ipv4_mtu,
        ipv6_mtu: settings.ipv6_mtu,
        dns_retry: settings.dns_retry.map(|retry| DnsRetry { interval: retry.interval_seconds, count: retry.count }),
        class_names: metadata.and_then(|metadata| metadata.friendly_names.clone()).unwrap_or_default(),
        support_number: metadata.and_then(|metadata| metadata.phone_number.clone()).unwrap_or_default(),
        one_context: contexts.is_some_and(|contexts| !contexts.allowed),
        contexts: contexts
            .iter()
            .flat_map(|contexts| &contexts.policies)
            .map(|policy| NamedContext { profile: stored(&policy.context), programs: policy.programs.clone() })
            .collect(),
        tethering: contexts.and_then(|contexts| contexts.tethering.as_ref()).map(stored),
    }
}

/// A planned profile as the machine stores it.
pub(super) fn stored(profile: &ProvisionedProfile) -> subscriber::ProvisionedProfile {
    subscriber::ProvisionedProfile {
        name: profile.name.clone(),
        apn: profile.apn.clone().unwrap_or_default(),
        user: profile.username.clone().unwrap_or_default(),
        password: profile.password.as_ref().map(|password| password.reveal().as_str().into()).unwrap_or_default(),
        auth: match profile.authentication {
            Authentication::None => "none",
            Authentication::Pap => "pap",
            Authentication::Chap => "chap",
            Authentication::MsChapV2 => "mschapv2",
        }
        .into(),
        carrier_id: profile.carrier_id.clone(),
    }
}
