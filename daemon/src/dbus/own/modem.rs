//! `org.mbimd.Mbimd1.Modem`.

use std::collections::HashMap;

use daemon_core::explain::{Verdict, explain};
use daemon_core::request::Request;
use dbus_api::error::Code;
use zbus::message::Header;
use zbus::{Connection as Bus, OwnedFd, OwnedVariant};

use super::{Access, Known, candidate, reason};
use crate::actor::trace::pair;
use crate::dbus::failure::Failure;
use crate::dbus::options::Options;
use crate::dbus::policy::Action;
use crate::dbus::words;

/// The device, its radio and its network.
pub(crate) struct Modem(pub(in crate::dbus) Access);

#[zbus::interface(name = "org.mbimd.Mbimd1.Modem", introspection_docs = false)]
impl Modem {
    async fn set_radio(
        &self,
        enabled: bool,
        #[zbus(header)] call: Header<'_>,
        #[zbus(connection)] bus: &Bus,
    ) -> Result<(), Failure> {
        self.0.gate.check(bus, &call, Action::Radio).await?;
        self.0.ask(Request::SetRadio(enabled)).await
    }

    async fn refresh_signal(
        &self,
        #[zbus(header)] call: Header<'_>,
        #[zbus(connection)] bus: &Bus,
    ) -> Result<(), Failure> {
        self.0.gate.check(bus, &call, Action::Signal).await?;
        self.0.ask(Request::RefreshSignal).await
    }

    #[zbus(out_args("socket"))]
    async fn trace(
        &self,
        options: HashMap<String, OwnedVariant>,
        #[zbus(header)] call: Header<'_>,
        #[zbus(connection)] bus: &Bus,
    ) -> Result<OwnedFd, Failure> {
        let uid = self.0.gate.check(bus, &call, Action::Trace).await?;
        let mut options = Options::new(options)?;
        let restart = options.flag("restart")?.unwrap_or_default();
        options.finish()?;
        let (ours, theirs) = pair().map_err(|error| Failure::new(Code::Failed, format!("No socket: {error}.")))?;
        self.0.modem.trace(ours).await?;
        tracing::info!(modem = self.0.modem.id, uid, restart, "traced");
        if restart {
            self.0.ask(Request::Restart).await?;
        }
        Ok(theirs.into())
    }

    #[zbus(out_args("chain"))]
    fn explain(&self) -> Vec<(String, String, String, String)> {
        explain(&self.0.view())
            .into_iter()
            .map(|link| {
                let verdict = match link.verdict {
                    Verdict::Ok => "ok",
                    Verdict::Waiting => "waiting",
                    Verdict::Broken => "broken",
                    Verdict::Unknown => "unknown",
                };
                (link.link.to_owned(), verdict.to_owned(), link.cause, link.next)
            })
            .collect()
    }

    #[zbus(out_args("statistics"))]
    fn get_statistics(&self) -> HashMap<String, u64> {
        let view = self.0.view();
        [
            ("messages-sent", view.traffic.sent),
            ("messages-received", view.traffic.received),
            ("round-trips-to-connected", view.traffic.round_trips_to_connected.into()),
            ("probe-bytes", view.connectivity.cost.today),
        ]
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
    }

    #[zbus(property(emits_changed_signal = "const"))]
    fn index(&self) -> u32 {
        self.0.modem.id
    }

    #[zbus(property)]
    fn custody(&self) -> &str {
        words::custody(self.0.view().custody)
    }

    #[zbus(property)]
    fn control_port(&self) -> String {
        self.0.view().port.control.clone()
    }

    #[zbus(property)]
    fn data_port(&self) -> String {
        self.0.view().port.interface.clone().unwrap_or_default()
    }

    #[zbus(property)]
    fn driver(&self) -> String {
        self.0.view().port.driver.clone()
    }

    #[zbus(property)]
    fn physical_device(&self) -> String {
        self.0.view().port.physical.clone()
    }

    #[zbus(property)]
    fn usb_id(&self) -> String {
        self.0.view().port.usb.map(|(vendor, product)| format!("{vendor:04x}:{product:04x}")).unwrap_or_default()
    }

    #[zbus(property)]
    fn hardware(&self) -> String {
        self.0.view().device.as_ref().map(|device| device.hardware.clone()).unwrap_or_default()
    }

    #[zbus(property)]
    fn firmware(&self) -> String {
        self.0.view().device.as_ref().map(|device| device.firmware.clone()).unwrap_or_default()
    }

    #[zbus(property)]
    fn device_id(&self) -> String {
        self.0.view().sim.identity.device.as_ref().map(ToString::to_string).unwrap_or_default()
    }

    #[zbus(property)]
    fn mbim_extensions(&self) -> String {
        self.0.view().device.as_ref().map(|device| words::release(device.mbimex)).unwrap_or_default()
    }

    #[zbus(property)]
    fn max_sessions(&self) -> u32 {
        self.0.view().device.as_ref().map(|device| device.max_sessions).unwrap_or_default()
    }

    #[zbus(property)]
    fn supported_technologies(&self) -> Vec<String> {
        self.0.view().device.as_ref().map(|device| words::technologies(device.data_classes)).unwrap_or_default()
    }

    #[zbus(property)]
    fn services(&self) -> Vec<(String, Vec<u32>)> {
        self.0.view().device.as_ref().map(|device| device.services.clone()).unwrap_or_default()
    }

    #[zbus(property)]
    fn state(&self) -> i32 {
        self.0.view().state as i32
    }

    #[zbus(property)]
    fn state_name(&self) -> &str {
        words::modem_state(self.0.view().state)
    }

    #[zbus(property)]
    fn state_reason(&self) -> (String, String) {
        reason(self.0.view().reason.as_ref())
    }

    #[zbus(property)]
    fn radio_hardware(&self) -> &str {
        words::switch(self.0.view().radio.hardware)
    }

    #[zbus(property)]
    fn radio_software(&self) -> &str {
        words::switch(self.0.view().radio.software)
    }

    #[zbus(property)]
    fn radio_blocked(&self) -> bool {
        self.0.view().radio.blocked
    }

    #[zbus(property)]
    fn registration_state(&self) -> String {
        self.0.view().registration.state.clone()
    }

    #[zbus(property)]
    fn roaming(&self) -> bool {
        self.0.view().registration.roaming
    }

    #[zbus(property)]
    fn network_code(&self) -> String {
        self.0.view().registration.plmn.clone()
    }

    #[zbus(property)]
    fn network_name(&self) -> String {
        self.0.view().registration.name.clone()
    }

    #[zbus(property)]
    fn registration_error(&self) -> u32 {
        self.0.view().registration.nw_error
    }

    #[zbus(property)]
    fn packet_state(&self) -> String {
        self.0.view().packet.state.clone()
    }

    #[zbus(property)]
    fn technologies(&self) -> Vec<String> {
        words::technologies(self.0.view().registration.data_classes)
    }

    #[zbus(property)]
    fn technology(&self) -> String {
        words::technologies(self.0.view().packet.data_class).pop().unwrap_or_default()
    }

    #[zbus(property)]
    fn uplink_speed(&self) -> u64 {
        self.0.view().packet.uplink.unwrap_or_default()
    }

    #[zbus(property)]
    fn downlink_speed(&self) -> u64 {
        self.0.view().packet.downlink.unwrap_or_default()
    }

    #[zbus(property)]
    fn signal(&self) -> HashMap<String, OwnedVariant> {
        let signal = self.0.view().signal;
        let known = Known::default().put("rssi", signal.rssi).put("rsrp", signal.rsrp);
        known.put("snr", signal.snr.map(f64::from)).put("quality", signal.quality).0
    }

    #[zbus(property)]
    fn operator(&self) -> HashMap<String, OwnedVariant> {
        let view = self.0.view();
        let Some(operator) = &view.operator else { return HashMap::new() };
        let network = view.network.as_ref();
        let support = network.map(|network| network.support_number.as_str()).filter(|number| !number.is_empty());
        let selectors: HashMap<&str, &str> =
            operator.selectors.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        Known::default()
            .put("name", Some(operator.name.as_str()))
            .put("country", Some(operator.country.as_str()))
            .put("match", Some(operator.matched.as_str()))
            .put("layer", Some(operator.layer.as_str()))
            .put("rule", Some(operator.rule.as_str()))
            .put("selectors", Some(selectors))
            .put("alternatives", Some(operator.alternatives.clone()))
            .put("has-portal", Some(operator.has_portal))
            .put("support-number", support)
            .put("class-name", network.and_then(|network| network.class_name(view.packet.data_class)))
            .0
    }

    #[zbus(property)]
    fn operator_trace(&self) -> Vec<String> {
        self.0.view().operator.as_ref().map(|operator| operator.trace.clone()).unwrap_or_default()
    }

    #[zbus(property)]
    fn candidates(&self) -> Vec<HashMap<String, String>> {
        let view = self.0.view();
        view.operator.as_ref().map(|operator| operator.candidates.iter().map(candidate).collect()).unwrap_or_default()
    }
}
