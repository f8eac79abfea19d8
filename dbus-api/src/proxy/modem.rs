//! `org.mbimd.Mbimd1.Modem`.

use std::collections::HashMap;

use zbus::{OwnedFd, OwnedVariant, Variant};

/// The device, its radio and its network.
#[zbus::proxy(interface = "org.mbimd.Mbimd1.Modem", default_service = "org.mbimd.Mbimd1", assume_defaults = false)]
pub trait Modem {
    /// Switch the modem's radio, as the modem's own software switch does.
    #[zbus(allow_interactive_auth)]
    fn set_radio(&self, enabled: bool) -> zbus::Result<()>;

    /// Ask the modem for the signal now. The answer arrives as a change of Signal.
    #[zbus(allow_interactive_auth)]
    fn refresh_signal(&self) -> zbus::Result<()>;

    /// Why the modem is or is not online, as the chain from the SIM to the connectivity test.
    #[zbus(allow_interactive_auth)]
    fn explain(&self) -> zbus::Result<Vec<(String, String, String, String)>>;

    /// Counters, which change too often for properties.
    #[zbus(allow_interactive_auth)]
    fn get_statistics(&self) -> zbus::Result<HashMap<String, u64>>;

    /// Everything that is said to the modem and by it, from now on: a socket of [packets](crate::trace).
    #[zbus(allow_interactive_auth)]
    fn trace(&self, options: &HashMap<&str, Variant<'_>>) -> zbus::Result<OwnedFd>;

    /// The number in the object path.
    #[zbus(property(emits_changed_signal = "const"))]
    fn index(&self) -> zbus::Result<u32>;

    /// Whose the modem is: `held`, `withheld` or `absent`.
    #[zbus(property)]
    fn custody(&self) -> zbus::Result<String>;

    /// Where MBIM is spoken, for example "/dev/cdc-wdm0" or "unix:/run/modem.sock".
    #[zbus(property)]
    fn control_port(&self) -> zbus::Result<String>;

    /// The kernel's network interface of the modem, for example "wwan0"; empty when it is used for control only.
    #[zbus(property)]
    fn data_port(&self) -> zbus::Result<String>;

    /// Kernel driver of the control port, for example "cdc_mbim"; empty when there is none.
    #[zbus(property)]
    fn driver(&self) -> zbus::Result<String>;

    /// Path of the device in sysfs, the same after each plug into the same place; the control port where there is no
    /// such path.
    #[zbus(property)]
    fn physical_device(&self) -> zbus::Result<String>;

    /// Vendor and product as four hexadecimal places each, for example "1199:9091"; empty when it is not a USB device.
    #[zbus(property)]
    fn usb_id(&self) -> zbus::Result<String>;

    /// What the modem calls itself.
    #[zbus(property)]
    fn hardware(&self) -> zbus::Result<String>;

    /// Version of the firmware; empty when the modem does not tell.
    #[zbus(property)]
    fn firmware(&self) -> zbus::Result<String>;

    /// The device's identity (IMEI, MEID or ESN), masked: the first five and the last two characters.
    #[zbus(property)]
    fn device_id(&self) -> zbus::Result<String>;

    /// Release of the MBIM extensions agreed with the modem, for example "1.0" or "3.0".
    #[zbus(property)]
    fn mbim_extensions(&self) -> zbus::Result<String>;

    /// Largest number of data sessions at once; 0 until known.
    #[zbus(property)]
    fn max_sessions(&self) -> zbus::Result<u32>;

    /// What the modem can use, from "gprs", "edge", "umts", "hsdpa", "hsupa", "lte", "5g-nsa", "5g-sa", "1xrtt",
    /// "1xevdo", "1xevdo-reva", "1xevdv", "3xrtt", "1xevdo-revb", "umb", "custom"; a bit without a name is "bit-N".
    #[zbus(property)]
    fn supported_technologies(&self) -> zbus::Result<Vec<String>>;

    /// MBIM services that the modem named, each with the command numbers it offers.
    #[zbus(property)]
    fn services(&self) -> zbus::Result<Vec<(String, Vec<u32>)>>;

    /// What the modem is doing, as a number: -1 failed, 0 unknown, 1 initializing, 2 locked, 3 disabled, 4 disabling, 5
    /// enabling, 6 enabled, 7 searching, 8 registered, 9 disconnecting, 10 connecting, 11 connected.
    #[zbus(property)]
    fn state(&self) -> zbus::Result<i32>;

    /// State as a word.
    #[zbus(property)]
    fn state_name(&self) -> zbus::Result<String>;

    /// Why the state is "failed", or what the modem waits for: a stable kebab-case code and a sentence for a person.
    #[zbus(property)]
    fn state_reason(&self) -> zbus::Result<(String, String)>;

    /// The switch on the machine: "on", "off" or "unknown".
    #[zbus(property)]
    fn radio_hardware(&self) -> zbus::Result<String>;

    /// The modem's own switch: "on", "off" or "unknown".
    #[zbus(property)]
    fn radio_software(&self) -> zbus::Result<String>;

    /// The kernel blocks the radio (airplane mode).
    #[zbus(property)]
    fn radio_blocked(&self) -> zbus::Result<bool>;

    /// "unknown", "deregistered", "searching", "home", "roaming", "partner" or "denied"; a number in decimal when the
    /// modem gave one without a name; empty until asked.
    #[zbus(property)]
    fn registration_state(&self) -> zbus::Result<String>;

    /// Registered in a network that is not the home network.
    #[zbus(property)]
    fn roaming(&self) -> zbus::Result<bool>;

    /// MCC and MNC of the serving network, five or six digits; empty until known.
    #[zbus(property)]
    fn network_code(&self) -> zbus::Result<String>;

    /// Name of the serving network; empty until known.
    #[zbus(property)]
    fn network_name(&self) -> zbus::Result<String>;

    /// Cause number of a rejection (3GPP TS 24.008); 0 when there is none.
    #[zbus(property)]
    fn registration_error(&self) -> zbus::Result<u32>;

    /// "unknown", "attaching", "attached", "detaching" or "detached"; a number in decimal when it has no name; empty
    /// until asked.
    #[zbus(property)]
    fn packet_state(&self) -> zbus::Result<String>;

    /// What the serving network offers now, in the words of SupportedTechnologies.
    #[zbus(property)]
    fn technologies(&self) -> zbus::Result<Vec<String>>;

    /// What is in use now; empty when nothing is.
    #[zbus(property)]
    fn technology(&self) -> zbus::Result<String>;

    /// Highest uplink speed in bit/s; 0 when the modem does not tell.
    #[zbus(property)]
    fn uplink_speed(&self) -> zbus::Result<u64>;

    /// Highest downlink speed in bit/s; 0 when the modem does not tell.
    #[zbus(property)]
    fn downlink_speed(&self) -> zbus::Result<u64>;

    /// "rssi" (i, dBm, -113 to -51), "rsrp" (i, dBm, -157 to -30), "snr" (d, dB, -23.5 to 40), "quality" (y, percent).
    #[zbus(property)]
    fn signal(&self) -> zbus::Result<HashMap<String, OwnedVariant>>;

    /// The operator record that was matched: "name" (s), "country" (s, ISO 3166-1 alpha-2, lower case), "match" (s:
    /// "exact", "ambiguous" or "none"), "layer" (s), "rule" (s, what decided), "selectors" (a{ss}, the attributes of
    /// the record's select element that hold and what they ask for, "hwid" for example; "###" stands in place of what
    /// belongs to few SIMs), "has-portal" (b, a hand-over URL can be made).
    #[zbus(property)]
    fn operator(&self) -> zbus::Result<HashMap<String, OwnedVariant>>;

    /// What was weighed for Operator, one line each, for a person.
    #[zbus(property)]
    fn operator_trace(&self) -> zbus::Result<Vec<String>>;

    /// Access points in the order in which they are tried, each a dictionary of "apn" (empty = the network's default),
    /// "ip-type" ("ipv4", "ipv6", "ipv4v6", "default"), "auth" ("none", "pap", "chap", "mschapv2"), "criterion" (why it
    /// is in the list: the rule that its record answers to, "last-good", "user-apn", "provisioned-default-profile",
    /// "provisioned-purchase-profile", "network-default") and "source".
    #[zbus(property)]
    fn candidates(&self) -> zbus::Result<Vec<HashMap<String, String>>>;
}
