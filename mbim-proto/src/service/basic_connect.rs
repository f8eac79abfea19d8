//! Basic Connect: what every modem does.

mod enums;

use alloc::string::String;
use alloc::vec::Vec;
use core::net::{Ipv4Addr, Ipv6Addr};

use super::{service, structure, structures};
use crate::codec::{Array, Bytes, Inline, List, Max, MsArray, Pairs, Plain, Rest, Telling, Tlv, TlvText, Tlvs};
use crate::{NwError, Personal, Secret, Uuid};

pub use enums::*;

structures! {
    /// One lock: whether it is in use and what its code looks like. [MBIM1.0 10.5.5]
    struct PinDesc {
        /// Whether the lock is in use.
        pin_mode: PinMode,
        /// Characters of the code.
        pin_format: PinFormat,
        /// Fewest characters; 0xFFFFFFFF unknown.
        pin_length_min: u32,
        /// Most characters; 0xFFFFFFFF unknown.
        pin_length_max: u32,
    }

    /// A network operator. [MBIM1.0 10.5.6]
    struct Provider {
        /// MCC and MNC, 5 or 6 digits with leading zeros; SID on CDMA.
        provider_id: String = Max(12),
        /// What the operator is to the subscriber.
        provider_state: ProviderState,
        /// Name for people.
        provider_name: String = Max(40),
        /// Family of radio technology.
        cellular_class: CellularClass,
        /// 0–31 for −113+2n dBm, 99 unknown.
        rssi: u32,
        /// 0–7, 99 unknown.
        error_rate: u32,
    }

    /// A stored context. [MBIM1.0 10.5.13]
    struct ProvisionedContextElement {
        /// Which of the stored ones.
        context_id: u32,
        /// What it is for: see [`context_type`](crate::service::context_type).
        context_type: Uuid,
        /// The APN.
        access_string: String = Max(200),
        /// Name for authentication.
        user_name: Personal<String> = Max(510),
        /// Password for authentication.
        password: Secret<String> = Max(510),
        /// Header compression.
        compression: Compression,
        /// How to authenticate.
        auth_protocol: AuthProtocol,
    }

    /// An address of a session. [MBIM1.0 10.5]
    struct Ipv4Element {
        /// Bits of the prefix that is on the link.
        on_link_prefix_length: u32,
        /// The address.
        ipv4_address: Ipv4Addr,
    }

    /// An address of a session. [MBIM1.0 10.5]
    struct Ipv6Element {
        /// Bits of the prefix that is on the link.
        on_link_prefix_length: u32,
        /// The address.
        ipv6_address: Ipv6Addr,
    }

    /// A service that the device has. [MBIM1.0 10.5]
    struct DeviceServiceElement {
        /// The service.
        device_service_id: Uuid,
        /// Data service streams: bit 0 host to device, bit 1 device to host.
        dss_payload: u32,
        /// Most data service streams of this service.
        max_dss_instances: u32,
        [cids_count of cids]
        /// Commands that the device has.
        cids: Vec<u32> = Inline(cids_count),
    }

    /// Indications of one service. [MBIM1.0 10.5]
    struct EventEntry {
        /// The service.
        device_service_id: Uuid,
        [cids_count of cids]
        /// Commands whose indications are wanted.
        cids: Vec<u32> = Inline(cids_count),
    }

    /// A filter for packets that wake the host. [MBIM1.0 10.5]
    struct PacketFilter {
        [filter_size of packet_filter]
        /// Bytes to compare with.
        packet_filter: Vec<u8> = Telling(Bytes(filter_size)),
        /// Bits to compare, as many bytes as the filter has.
        packet_mask: Vec<u8> = Bytes(filter_size),
    }

    /// A filter for packets that wake the host, with its number. [MBIMEx3.0]
    struct PacketFilterV3 {
        [filter_size of packet_filter]
        /// Bytes to compare with.
        packet_filter: Vec<u8> = Telling(Bytes(filter_size)),
        /// Bits to compare, as many bytes as the filter has.
        packet_mask: Vec<u8> = Bytes(filter_size),
        /// Number by which a wake reason names the filter.
        filter_id: u32,
    }

    /// Signal of one radio technology. [MBIMEx2.0]
    struct RsrpSnrInfo {
        /// Code 0–126 for −157+n dBm, 127 unknown.
        rsrp: u32,
        /// Code 0–127 for −23.5+n/2 dB, 128 unknown.
        snr: u32,
        /// Change in dBm that is indicated; 0 device's default, 0xFFFFFFFF off.
        rsrp_threshold: u32,
        /// Change in dB that is indicated; 0 device's default, 0xFFFFFFFF off.
        snr_threshold: u32,
        /// The technology.
        system_type: DataClass,
    }

    /// Tracking area. [MBIMEx3.0]
    struct Tai {
        /// Country code of the network.
        plmn_mcc: u16,
        /// Network code.
        plmn_mnc: u16,
        /// Tracking area code.
        tac: u32 = Telling(Plain),
    }
}

service! {
    service super::BASIC_CONNECT;

    /// What the device is and can do. [MBIM1.0 10.5.1]
    cid 1 DEVICE_CAPS {
        /// Asks for the capabilities.
        query DeviceCapsQuery {}
        /// The capabilities.
        response DeviceCaps {
            /// How the device is built in.
            device_type: DeviceType,
            /// Families of radio technology.
            cellular_class: CellularClass,
            /// Whether voice calls go beside data.
            voice_class: VoiceClass,
            /// How the SIM is attached.
            sim_class: SimClass,
            /// Radio technologies for data.
            data_class: DataClass,
            /// Text messages.
            sms_caps: SmsCaps,
            /// What the host may control.
            control_caps: CtrlCaps,
            /// Most sessions at once.
            max_sessions: u32,
            /// Name of the technology when `data_class` has the custom bit.
            custom_data_class: String = Max(22),
            /// IMEI, or MEID or ESN on CDMA.
            device_id: Personal<String> = Max(36),
            /// Version of the firmware.
            firmware_info: String = Max(60),
            /// Model of the hardware.
            hardware_info: String = Max(60),
        }
    }

    /// Whether the SIM is usable and who the subscriber is. [MBIM1.0 10.5.2]
    cid 2 SUBSCRIBER_READY_STATUS {
        /// Asks for the state.
        query SubscriberReadyQuery {}
        /// State and identity.
        response, notify SubscriberReady {
            /// Whether the SIM is usable.
            ready_state: SubscriberReadyState,
            /// IMSI, at most 15 digits; MIN on CDMA; empty until ready.
            subscriber_id: Personal<String> = Max(30),
            /// ICCID, at most 20 digits.
            sim_icc_id: Personal<String> = Max(40),
            /// What the host should mind.
            ready_info: ReadyInfo,
            [telephone_numbers_count of telephone_numbers]
            /// The subscriber's numbers.
            telephone_numbers: List<Personal<String>, 2> = Pairs(telephone_numbers_count),
        }
        /// State and identity, with facts about the card. [MBIMEx3.0]
        (mbimex 3) response, notify SubscriberReadyV3 {
            /// Whether the SIM is usable.
            ready_state: SubscriberReadyState,
            /// Facts about the card.
            flags: SubscriberReadyFlags,
            /// IMSI, at most 15 digits; empty until ready.
            subscriber_id: Personal<String> = Max(30),
            /// ICCID, at most 20 digits.
            sim_icc_id: Personal<String> = Max(40),
            /// What the host should mind.
            ready_info: ReadyInfo,
            [telephone_numbers_count of telephone_numbers]
            /// The subscriber's numbers.
            telephone_numbers: List<Personal<String>, 2> = Pairs(telephone_numbers_count),
        }
        /// Asks for the state of one slot. [MBIMEx4.0]
        (mbimex 4) query SubscriberReadyQueryV4 {
            /// The slot, from 0.
            slot_id: u32,
        }
        /// State and identity of one slot. [MBIMEx4.0]
        (mbimex 4) response, notify SubscriberReadyV4 {
            /// Whether the SIM is usable.
            ready_state: SubscriberReadyState,
            /// Facts about the card.
            flags: SubscriberReadyFlags,
            /// IMSI, at most 15 digits; empty until ready.
            subscriber_id: Personal<String> = Max(30),
            /// ICCID, at most 20 digits.
            sim_icc_id: Personal<String> = Max(40),
            /// What the host should mind.
            ready_info: ReadyInfo,
            [telephone_numbers_count of telephone_numbers]
            /// The slot, from 0.
            slot_id: u32,
            /// The subscriber's numbers.
            telephone_numbers: List<Personal<String>, 2> = Pairs(telephone_numbers_count),
        }
    }

    /// The switches of the radio. Never fails for lack of a SIM. [MBIM1.0 10.5.3]
    cid 3 RADIO_STATE {
        /// Asks for the switches.
        query RadioStateQuery {}
        /// Moves the software switch.
        set RadioStateSet {
            /// Where to.
            radio_state: RadioSwitchState,
        }
        /// Both switches; the radio is on when both are.
        response, notify RadioState {
            /// The switch on the case.
            hw_radio_state: RadioSwitchState,
            /// The switch of the host.
            sw_radio_state: RadioSwitchState,
        }
    }

    /// The code that is asked for next. [MBIM1.0 10.5.4]
    cid 4 PIN {
        /// Asks which code is due.
        query PinQuery {}
        /// Enters or changes a code.
        set PinSet {
            /// Which code.
            pin_type: PinType,
            /// What to do.
            pin_operation: PinOperation,
            /// The code; with a PUK, the PUK.
            pin: Secret<String> = Max(32),
            /// The new code, when it is changed or unblocked.
            new_pin: Secret<String> = Max(32),
        }
        /// The code that is due. Comes with a failed set too.
        response Pin {
            /// Which code.
            pin_type: PinType,
            /// Whether it is asked for.
            pin_state: PinState,
            /// Attempts left; 0xFFFFFFFF unknown.
            remaining_attempts: u32,
        }
    }

    /// All locks of device and card, without PUK states. [MBIM1.0 10.5.5]
    cid 5 PIN_LIST {
        /// Asks for the locks.
        query PinListQuery {}
        /// The locks.
        response PinList {
            /// PIN 1 of the card.
            pin_desc_pin1: PinDesc,
            /// PIN 2 of the card.
            pin_desc_pin2: PinDesc,
            /// Device to card.
            pin_desc_device_sim_pin: PinDesc,
            /// Device to first card.
            pin_desc_device_first_sim_pin: PinDesc,
            /// Network.
            pin_desc_network_pin: PinDesc,
            /// Part of a network.
            pin_desc_network_subset_pin: PinDesc,
            /// Service provider.
            pin_desc_service_provider_pin: PinDesc,
            /// Company.
            pin_desc_corporate_pin: PinDesc,
            /// Subsidy.
            pin_desc_subsidy_lock: PinDesc,
            /// Of the vendor.
            pin_desc_custom: PinDesc,
        }
    }

    /// The subscriber's own operator. [MBIM1.0 10.5.6]
    cid 6 HOME_PROVIDER {
        /// Asks for it.
        query HomeProviderQuery {}
        /// The operator; set only on multi-carrier devices.
        set, response HomeProvider {
            /// The operator.
            provider: Provider,
        }
    }

    /// Operators that the subscriber prefers when roaming. [MBIM1.0 10.5.7]
    cid 7 PREFERRED_PROVIDERS {
        /// Asks for the list.
        query PreferredProvidersQuery {}
        /// The list.
        set, response, notify PreferredProviders {
            [providers_count of providers]
            /// The operators, most preferred first.
            providers: Vec<Provider> = Pairs(providers_count),
        }
    }

    /// Operators that can be received. Takes minutes. [MBIM1.0 10.5.8]
    cid 8 VISIBLE_PROVIDERS {
        /// Looks for operators.
        query VisibleProvidersQuery {
            /// How to look.
            action: VisibleProvidersAction,
        }
        /// What was found.
        response VisibleProviders {
            [providers_count of providers]
            /// The operators.
            providers: Vec<Provider> = Pairs(providers_count),
        }
    }

    /// Registration with a network. [MBIM1.0 10.5.9]
    cid 9 REGISTER_STATE {
        /// Asks for the state.
        query RegisterStateQuery {}
        /// Registers.
        set RegisterStateSet {
            /// The operator, when it is chosen by hand.
            provider_id: String = Max(12),
            /// Who chooses.
            register_action: RegisterAction,
            /// Radio technologies to prefer.
            data_class: DataClass,
        }
        /// The state.
        response, notify RegisterStateInfo {
            /// Why registration failed.
            nw_error: NwError,
            /// The state.
            register_state: RegisterState,
            /// Who has chosen the operator.
            register_mode: RegisterMode,
            /// Radio technologies that the cell has.
            available_data_classes: DataClass,
            /// Family in use.
            current_cellular_class: CellularClass,
            /// MCC and MNC, 5 or 6 digits; SID on CDMA.
            provider_id: String = Max(12),
            /// Name for people.
            provider_name: String = Max(40),
            /// What to show while roaming.
            roaming_text: String = Max(126),
            /// What the network or the device allows.
            registration_flag: RegistrationFlags,
        }
        /// The state, with the technologies that are preferred. [MBIMEx2.0]
        (mbimex 2) response, notify RegisterStateInfoV2 {
            /// Why registration failed.
            nw_error: NwError,
            /// The state.
            register_state: RegisterState,
            /// Who has chosen the operator.
            register_mode: RegisterMode,
            /// Radio technologies that the cell has.
            available_data_classes: DataClass,
            /// Family in use.
            current_cellular_class: CellularClass,
            /// MCC and MNC, 5 or 6 digits; SID on CDMA.
            provider_id: String = Max(12),
            /// Name for people.
            provider_name: String = Max(40),
            /// What to show while roaming.
            roaming_text: String = Max(126),
            /// What the network or the device allows.
            registration_flag: RegistrationFlags,
            /// Radio technologies that the host prefers.
            preferred_data_classes: DataClass,
        }
    }

    /// Attachment to the packet service. [MBIM1.0 10.5.10]
    cid 10 PACKET_SERVICE {
        /// Asks for the state.
        query PacketServiceQuery {}
        /// Attaches or detaches.
        set PacketServiceSet {
            /// Which.
            packet_service_action: PacketServiceAction,
        }
        /// The state.
        response, notify PacketService {
            /// Why attaching failed.
            nw_error: NwError,
            /// The state.
            packet_service_state: PacketServiceState,
            /// Best radio technology that can be had.
            highest_available_data_class: DataClass,
            /// Bits per second; all ones unknown.
            uplink_speed: u64,
            /// Bits per second; all ones unknown.
            downlink_speed: u64,
        }
        /// The state, with the technology in use. [MBIMEx2.0]
        (mbimex 2) response, notify PacketServiceV2 {
            /// Why attaching failed.
            nw_error: NwError,
            /// The state.
            packet_service_state: PacketServiceState,
            /// Radio technology in use.
            current_data_class: DataClass,
            /// Bits per second; all ones unknown.
            uplink_speed: u64,
            /// Bits per second; all ones unknown.
            downlink_speed: u64,
            /// 5G frequencies in use.
            frequency_range: FrequencyRange,
        }
        /// The state, with kind of 5G and tracking area. [MBIMEx3.0]
        (mbimex 3) response, notify PacketServiceV3 {
            /// Why attaching failed.
            nw_error: NwError,
            /// The state.
            packet_service_state: PacketServiceState,
            /// Radio technology in use.
            current_data_class: DataClassV3,
            /// Bits per second; all ones unknown.
            uplink_speed: u64,
            /// Bits per second; all ones unknown.
            downlink_speed: u64,
            /// 5G frequencies in use.
            frequency_range: FrequencyRange,
            /// Kind of 5G.
            data_subclass: DataSubclass,
            /// Where.
            tai: Tai,
            /// Information elements that may follow.
            unnamed_ies: Vec<Tlv> = Tlvs,
        }
    }

    /// How well the network is received. [MBIM1.0 10.5.11]
    cid 11 SIGNAL_STATE {
        /// Asks for the signal.
        query SignalStateQuery {}
        /// Says when to indicate changes.
        set SignalStateSet {
            /// Seconds between indications; 0 must not be sent, 0xFFFFFFFF turns them off.
            signal_strength_interval: u32,
            /// Change that is indicated; 0 device's default, 0xFFFFFFFF off.
            rssi_threshold: u32,
            /// Change that is indicated; 0 device's default, 0xFFFFFFFF off.
            error_rate_threshold: u32,
        }
        /// The signal.
        response, notify SignalState {
            /// 0–31 for −113+2n dBm, 99 unknown.
            rssi: u32,
            /// 0–7, 99 unknown.
            error_rate: u32,
            /// Seconds between indications.
            signal_strength_interval: u32,
            /// Change that is indicated; 0 device's default, 0xFFFFFFFF off.
            rssi_threshold: u32,
            /// Change that is indicated; 0 device's default, 0xFFFFFFFF off.
            error_rate_threshold: u32,
        }
        /// The signal, for each radio technology. [MBIMEx2.0]
        (mbimex 2) response, notify SignalStateV2 {
            /// 0–31 for −113+2n dBm, 99 unknown or when the table is there.
            rssi: u32,
            /// 0–7, 99 unknown.
            error_rate: u32,
            /// Seconds between indications.
            signal_strength_interval: u32,
            /// Change that is indicated; 0 device's default, 0xFFFFFFFF off.
            rssi_threshold: u32,
            /// Change that is indicated; 0 device's default, 0xFFFFFFFF off.
            error_rate_threshold: u32,
            /// The technologies; empty where the device gives none.
            rsrp_snr: List<RsrpSnrInfo, 4> = MsArray,
        }
    }

    /// Contexts: sessions with the network. [MBIM1.0 10.5.12]
    cid 12 CONNECT {
        /// Activates or deactivates a context.
        set ConnectSet {
            /// Which session, 0–255.
            session_id: u32,
            /// Which.
            activation_command: ActivationCommand,
            /// The APN.
            access_string: String = Max(200),
            /// Name for authentication.
            user_name: Personal<String> = Max(510),
            /// Password for authentication.
            password: Secret<String> = Max(510),
            /// Header compression.
            compression: Compression,
            /// How to authenticate.
            auth_protocol: AuthProtocol,
            /// Address families.
            ip_type: ContextIpType,
            /// What it is for: see [`context_type`](crate::service::context_type).
            context_type: Uuid,
        }
        /// State of a context. In a query only `session_id` means something. Comes with a failed set too.
        query, response, notify ConnectInfo {
            /// Which session.
            session_id: u32,
            /// The state.
            activation_state: ActivationState,
            /// Whether a voice call is going on.
            voice_call_state: VoiceCallState,
            /// Address families.
            ip_type: ContextIpType,
            /// What it is for.
            context_type: Uuid,
            /// Why activation failed or the context was dropped.
            nw_error: NwError,
        }
        /// Asks for a context. [MBIMEx3.0]
        (mbimex 3) query ConnectQueryV3 {
            /// Which session.
            session_id: u32,
        }
        /// Activates or deactivates a context. [MBIMEx3.0]
        (mbimex 3) set ConnectSetV3 {
            /// Which session, 0–255.
            session_id: u32,
            /// Which.
            activation_command: ActivationCommand,
            /// Header compression.
            compression: Compression,
            /// How to authenticate.
            auth_protocol: AuthProtocol,
            /// Address families.
            ip_type: ContextIpType,
            /// What it is for.
            context_type: Uuid,
            /// Access to use.
            media_preference: AccessMediaType,
            /// The APN.
            access_string: String = TlvText(200),
            /// Name for authentication.
            user_name: Personal<String> = TlvText(510),
            /// Password for authentication.
            password: Secret<String> = TlvText(510),
            /// Further information elements.
            unnamed_ies: Vec<Tlv> = Tlvs,
        }
        /// State of a context. [MBIMEx3.0]
        (mbimex 3) response, notify ConnectInfoV3 {
            /// Which session.
            session_id: u32,
            /// The state.
            activation_state: ActivationState,
            /// Whether a voice call is going on.
            voice_call_state: VoiceCallState,
            /// Address families.
            ip_type: ContextIpType,
            /// What it is for.
            context_type: Uuid,
            /// Why activation failed or the context was dropped.
            nw_error: NwError,
            /// Access in use.
            media_preference: AccessMediaType,
            /// The APN.
            access_string: String = TlvText(200),
            /// Further information elements.
            unnamed_ies: Vec<Tlv> = Tlvs,
        }
        /// Activates or deactivates a context, with the rules to follow. [MBIMEx4.0]
        (mbimex 4) set ConnectSetV4 {
            /// Which session, 0–255.
            session_id: u32,
            /// Which.
            activation_command: ActivationCommand,
            /// 0 default, 1 per non-default URSP rules, 2 per default URSP rule, 3 per URSP rules.
            activation_option: u32,
            /// Header compression.
            compression: Compression,
            /// How to authenticate.
            auth_protocol: AuthProtocol,
            /// Address families.
            ip_type: ContextIpType,
            /// What it is for.
            context_type: Uuid,
            /// Access to use.
            media_preference: AccessMediaType,
            /// The APN.
            access_string: String = TlvText(200),
            /// Name for authentication.
            user_name: Personal<String> = TlvText(510),
            /// Password for authentication.
            password: Secret<String> = TlvText(510),
            /// Further information elements, the slice among them.
            unnamed_ies: Vec<Tlv> = Tlvs,
        }
    }

    /// Contexts that the device stores. [MBIM1.0 10.5.13]
    cid 13 PROVISIONED_CONTEXTS {
        /// Asks for them.
        query ProvisionedContextsQuery {}
        /// Stores one.
        set ProvisionedContextsSet {
            /// Which place; 0xFFFFFFFF appends.
            context_id: u32,
            /// What it is for.
            context_type: Uuid,
            /// The APN.
            access_string: String = Max(200),
            /// Name for authentication.
            user_name: Personal<String> = Max(510),
            /// Password for authentication.
            password: Secret<String> = Max(510),
            /// Header compression.
            compression: Compression,
            /// How to authenticate.
            auth_protocol: AuthProtocol,
            /// The operator that it belongs to.
            provider_id: String = Max(12),
        }
        /// All of them.
        response, notify ProvisionedContexts {
            [provisioned_contexts_count of provisioned_contexts]
            /// The contexts.
            provisioned_contexts: Vec<ProvisionedContextElement> = Pairs(provisioned_contexts_count),
        }
    }

    /// Activation of the subscription with bytes that the operator gives out. [MBIM1.0 10.5.14]
    cid 14 SERVICE_ACTIVATION {
        /// Activates.
        set ServiceActivationSet {
            /// The operator's bytes, as they are.
            buffer: Personal<Vec<u8>> = Rest,
        }
        /// The outcome.
        response ServiceActivation {
            /// Why it failed.
            nw_error: NwError,
            /// The operator's bytes, as they are.
            buffer: Personal<Vec<u8>> = Rest,
        }
    }

    /// Addresses of a session. In a query only `session_id` means something. [MBIM1.0 10.5]
    cid 15 IP_CONFIGURATION {
        /// The addresses. Fields count only when their bit is set.
        query, response, notify IpConfiguration {
            /// Which session.
            session_id: u32,
            /// Which IPv4 fields count.
            ipv4_configuration_available: IpConfigurationAvailable,
            /// Which IPv6 fields count.
            ipv6_configuration_available: IpConfigurationAvailable,
            [ipv4_address_count of ipv4_address]
            /// Addresses with their prefixes.
            ipv4_address: List<Ipv4Element, 2> = Array(ipv4_address_count),
            [ipv6_address_count of ipv6_address]
            /// Addresses with their prefixes.
            ipv6_address: List<Ipv6Element, 2> = Array(ipv6_address_count),
            /// Default router.
            ipv4_gateway: Option<Ipv4Addr>,
            /// Default router.
            ipv6_gateway: Option<Ipv6Addr>,
            [ipv4_dns_server_count of ipv4_dns_server]
            /// Name servers.
            ipv4_dns_server: List<Ipv4Addr, 4> = Array(ipv4_dns_server_count),
            [ipv6_dns_server_count of ipv6_dns_server]
            /// Name servers.
            ipv6_dns_server: List<Ipv6Addr, 4> = Array(ipv6_dns_server_count),
            /// Largest packet in bytes.
            ipv4_mtu: u32,
            /// Largest packet in bytes.
            ipv6_mtu: u32,
        }
    }

    /// Services and commands that the device has. The first command of a session. [MBIM1.0 10.5]
    cid 16 DEVICE_SERVICES {
        /// Asks for them.
        query DeviceServicesQuery {}
        /// The services.
        response DeviceServices {
            [device_services_count of device_services]
            /// Most data service streams at once.
            max_dss_sessions: u32,
            /// The services.
            device_services: Vec<DeviceServiceElement> = Pairs(device_services_count),
        }
    }

    /// Indications that the host wants. Replaces the earlier list. [MBIM1.0 10.5]
    cid 19 DEVICE_SERVICE_SUBSCRIBE_LIST {
        /// The list; in the answer what was granted.
        set, response DeviceServiceSubscribeList {
            [events_count of events]
            /// The services.
            events: Vec<EventEntry> = Pairs(events_count),
        }
    }

    /// Counters of the function, all sessions together. [MBIM1.0 10.5]
    cid 20 PACKET_STATISTICS {
        /// Asks for them.
        query PacketStatisticsQuery {}
        /// The counters.
        response PacketStatistics {
            /// Received and dropped.
            in_discards: u32,
            /// Received broken.
            in_errors: u32,
            /// Bytes received.
            in_octets: u64,
            /// Packets received.
            in_packets: u64,
            /// Bytes sent.
            out_octets: u64,
            /// Packets sent.
            out_packets: u64,
            /// Failed to be sent.
            out_errors: u32,
            /// Dropped before being sent.
            out_discards: u32,
        }
    }

    /// Whether the host expects no traffic. [MBIM1.0 10.5]
    cid 21 NETWORK_IDLE_HINT {
        /// Asks for it.
        query NetworkIdleHintQuery {}
        /// The hint.
        set, response NetworkIdleHint {
            /// The hint.
            state: NetworkIdleHintState,
        }
    }

    /// Whether only emergency calls are possible. [MBIM1.0 10.5]
    cid 22 EMERGENCY_MODE {
        /// Asks for it.
        query EmergencyModeQuery {}
        /// The mode. Devices need not take a set.
        set, response, notify EmergencyMode {
            /// The mode.
            state: EmergencyModeState,
        }
    }

    /// Packets that wake the host. [MBIM1.0 10.5]
    cid 23 IP_PACKET_FILTERS {
        /// The filters; in a query only `session_id` means something.
        query, set, response IpPacketFilters {
            /// Which session.
            session_id: u32,
            [packet_filters_count of packet_filters]
            /// The filters.
            packet_filters: Vec<PacketFilter> = Pairs(packet_filters_count),
        }
        /// The filters with their numbers. [MBIMEx3.0]
        (mbimex 3) query, set, response IpPacketFiltersV3 {
            /// Which session.
            session_id: u32,
            [packet_filters_count of packet_filters]
            /// The filters.
            packet_filters: Vec<PacketFilterV3> = Pairs(packet_filters_count),
        }
    }

    /// Operators that a multi-carrier device can become a subscriber of. [MBIM1.0 10.5]
    cid 24 MULTICARRIER_PROVIDERS {
        /// Asks for them.
        query MulticarrierProvidersQuery {}
        /// The operators.
        set, response, notify MulticarrierProviders {
            [providers_count of providers]
            /// The operators.
            providers: Vec<Provider> = Pairs(providers_count),
        }
    }
}
