//! Microsoft Basic Connect Extensions.

mod enums;

use alloc::string::String;
use alloc::vec::Vec;

use super::basic_connect::{
    AuthProtocol, CellularClass, Compression, ContextIpType, CtrlCaps, DataClass, DataClassV3, DataSubclass,
    DeviceType, SimClass, SmsCaps, VoiceClass,
};
use super::{service, structure, structures};
use crate::codec::{InlineBytes, Max, MsArray, MsRef, Pairs, Plain, RefBytes, Telling, Tlv, TlvText, TlvU16s, Tlvs};
use crate::service::basic_connect::{PinOperation, PinState, PinType};
use crate::{NwError, Personal, Secret, Uuid};

pub use enums::*;

structures! {
    /// A stored context. [MS Basic Connect Extensions, provisioned contexts v2]
    struct ProvisionedContextElementV2 {
        /// Which of the stored ones.
        context_id: u32,
        /// What it is for: see [`context_type`](crate::service::context_type).
        context_type: Uuid,
        /// Address families.
        ip_type: ContextIpType,
        /// Whether it may be used.
        state: ContextState,
        /// Where it may be used.
        roaming: ContextRoamingControl,
        /// Media that it serves.
        media_type: ContextMediaType,
        /// Who made it.
        source: ContextSource,
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

    /// A network that must not be used. [MS Basic Connect Extensions, network blacklist]
    struct DenylistEntry {
        /// Country code.
        mcc: u32,
        /// Network code.
        mnc: u32,
        /// 0 the SIM's provider, 1 the network's.
        denylist_type: u32,
    }

    /// A context for the default bearer. [MS Basic Connect Extensions, LTE attach]
    struct LteAttachConfigurationEntry {
        /// Address families.
        ip_type: ContextIpType,
        /// Where it is used.
        roaming: LteAttachContextRoamingControl,
        /// Who made it.
        source: ContextSource,
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

    /// The slot of one executor. [MS Basic Connect Extensions, multi-SIM]
    struct Slot {
        /// The slot, from 0.
        slot: u32,
    }

    /// The cell in use. Numbers are 0xFFFFFFFF when not available, as in all cells. [MS Basic Connect Extensions, cells]
    struct CellInfoServingGsm {
        /// MCC and MNC.
        provider_id: String,
        /// Location area code.
        location_area_code: u32 = Telling(Plain),
        /// Cell.
        cell_id: u32 = Telling(Plain),
        /// In bit periods.
        timing_advance: u32,
        /// Channel.
        arfcn: u32,
        /// Base station.
        base_station_id: u32 = Telling(Plain),
        /// Received level.
        rx_level: u32,
    }

    /// The cell in use. [MS Basic Connect Extensions, cells]
    struct CellInfoServingUmts {
        /// MCC and MNC.
        provider_id: String,
        /// Location area code.
        location_area_code: u32 = Telling(Plain),
        /// Cell.
        cell_id: u32 = Telling(Plain),
        /// Uplink frequency.
        frequency_info_ul: u32,
        /// Downlink frequency.
        frequency_info_dl: u32,
        /// Frequency in time division.
        frequency_info_nt: u32,
        /// Channel.
        uarfcn: u32,
        /// Scrambling code.
        primary_scrambling_code: u32,
        /// dBm; 0 not available.
        rscp: i32,
        /// dB; 1 not available.
        ecno: i32,
        /// dB.
        path_loss: u32,
    }

    /// The cell in use. [MS Basic Connect Extensions, cells]
    struct CellInfoServingTdscdma {
        /// MCC and MNC.
        provider_id: String,
        /// Location area code.
        location_area_code: u32 = Telling(Plain),
        /// Cell.
        cell_id: u32 = Telling(Plain),
        /// Channel.
        uarfcn: u32,
        /// Cell parameter.
        cell_parameter_id: u32 = Telling(Plain),
        /// Timing advance.
        timing_advance: u32,
        /// dBm.
        rscp: i32,
        /// dB.
        path_loss: u32,
    }

    /// The cell in use. [MS Basic Connect Extensions, cells]
    struct CellInfoServingLte {
        /// MCC and MNC.
        provider_id: String,
        /// Cell.
        cell_id: u32 = Telling(Plain),
        /// Channel.
        earfcn: u32,
        /// Physical cell.
        physical_cell_id: u32 = Telling(Plain),
        /// Tracking area code.
        tac: u32 = Telling(Plain),
        /// dBm.
        rsrp: i32,
        /// dB.
        rsrq: i32,
        /// Timing advance.
        timing_advance: u32,
    }

    /// A cell nearby. [MS Basic Connect Extensions, cells]
    struct CellInfoNeighboringGsm {
        /// MCC and MNC.
        provider_id: String,
        /// Location area code.
        location_area_code: u32 = Telling(Plain),
        /// Cell.
        cell_id: u32 = Telling(Plain),
        /// Channel.
        arfcn: u32,
        /// Base station.
        base_station_id: u32 = Telling(Plain),
        /// Received level.
        rx_level: u32,
    }

    /// A cell nearby. [MS Basic Connect Extensions, cells]
    struct CellInfoNeighboringUmts {
        /// MCC and MNC.
        provider_id: String,
        /// Location area code.
        location_area_code: u32 = Telling(Plain),
        /// Cell.
        cell_id: u32 = Telling(Plain),
        /// Channel.
        uarfcn: u32,
        /// Scrambling code.
        primary_scrambling_code: u32,
        /// dBm; 0 not available.
        rscp: i32,
        /// dB; 1 not available.
        ecno: i32,
        /// dB.
        path_loss: u32,
    }

    /// A cell nearby. [MS Basic Connect Extensions, cells]
    struct CellInfoNeighboringTdscdma {
        /// MCC and MNC.
        provider_id: String,
        /// Location area code.
        location_area_code: u32 = Telling(Plain),
        /// Cell.
        cell_id: u32 = Telling(Plain),
        /// Channel.
        uarfcn: u32,
        /// Cell parameter.
        cell_parameter_id: u32 = Telling(Plain),
        /// Timing advance.
        timing_advance: u32,
        /// dBm.
        rscp: i32,
        /// dB.
        path_loss: u32,
    }

    /// A cell nearby. [MS Basic Connect Extensions, cells]
    struct CellInfoNeighboringLte {
        /// MCC and MNC.
        provider_id: String,
        /// Cell.
        cell_id: u32 = Telling(Plain),
        /// Channel.
        earfcn: u32,
        /// Physical cell.
        physical_cell_id: u32 = Telling(Plain),
        /// Tracking area code.
        tac: u32 = Telling(Plain),
        /// dBm.
        rsrp: i32,
        /// dB.
        rsrq: i32,
    }

    /// A CDMA cell. [MS Basic Connect Extensions, cells]
    struct CellInfoCdma {
        /// 1 for the cell in use.
        serving_cell_flag: u32,
        /// Network.
        nid: u32,
        /// System.
        sid: u32,
        /// Base station.
        base_station_id: u32 = Telling(Plain),
        /// Latitude of the base station in units of a quarter of a second.
        base_latitude: u32 = Telling(Plain),
        /// Longitude of the base station in units of a quarter of a second.
        base_longitude: u32 = Telling(Plain),
        /// Offset of the pilot.
        ref_pn: u32,
        /// Time.
        gps_seconds: u32,
        /// Strength of the pilot.
        pilot_strength: u32,
    }

    /// The 5G cell in use. [MBIMEx3.0]
    struct CellInfoServingNr {
        /// MCC and MNC.
        provider_id: String,
        /// Cell.
        nci: u64 = Telling(Plain),
        /// Physical cell.
        physical_cell_id: u32 = Telling(Plain),
        /// Channel.
        nrarfcn: u32,
        /// Tracking area code.
        tac: u32 = Telling(Plain),
        /// Code of the RSRP.
        rsrp: u32,
        /// Code of the RSRQ.
        rsrq: u32,
        /// Code of the SINR.
        sinr: u32,
        /// Timing advance.
        timing_advance: u64,
    }

    /// A 5G cell nearby. [MBIMEx3.0]
    struct CellInfoNeighboringNr {
        /// Kind of 5G.
        system_sub_type: DataSubclass,
        /// MCC and MNC.
        provider_id: String,
        /// Cell, as text.
        cell_id: String = Telling(Plain),
        /// Physical cell.
        physical_cell_id: u32 = Telling(Plain),
        /// Tracking area code.
        tac: u32 = Telling(Plain),
        /// Code of the RSRP.
        rsrp: u32,
        /// Code of the RSRQ.
        rsrq: u32,
        /// Code of the SINR.
        sinr: u32,
    }
}

service! {
    service super::MS_BASIC_CONNECT_EXT;

    /// Stored contexts, one for each type. [MS Basic Connect Extensions, provisioned contexts v2]
    cid 1 PROVISIONED_CONTEXTS {
        /// Asks for them.
        query ProvisionedContextsV2Query {}
        /// Changes one.
        set ProvisionedContextsV2Set {
            /// What to do.
            operation: ContextOperation,
            /// Which type.
            context_type: Uuid,
            /// Address families.
            ip_type: ContextIpType,
            /// Whether it may be used.
            state: ContextState,
            /// Where it may be used.
            roaming: ContextRoamingControl,
            /// Media that it serves.
            media_type: ContextMediaType,
            /// Who makes it.
            source: ContextSource,
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
        /// All of them.
        response, notify ProvisionedContextsV2 {
            [provisioned_contexts_count of provisioned_contexts]
            /// The contexts.
            provisioned_contexts: Vec<ProvisionedContextElementV2> = Pairs(provisioned_contexts_count),
        }
    }

    /// Networks that must not be used. [MS Basic Connect Extensions, network blacklist]
    cid 2 NETWORK_DENYLIST {
        /// Asks for them.
        query NetworkDenylistQuery {}
        /// The networks.
        set, response, notify NetworkDenylist {
            /// Bit 0: the SIM's provider is on the list; bit 1: the network's provider is.
            state: u32,
            [element_count of entries]
            /// The networks.
            entries: Vec<DenylistEntry> = Pairs(element_count),
        }
    }

    /// Contexts for the default bearer: home, partner and non-partner networks. [MS Basic Connect Extensions, LTE attach]
    cid 3 LTE_ATTACH_CONFIGURATION {
        /// Asks for them.
        query LteAttachConfigurationQuery {}
        /// Changes all three, or restores them with none.
        set LteAttachConfigurationSet {
            /// What to do.
            operation: LteAttachContextOperation,
            [configuration_count of configurations]
            /// The contexts.
            configurations: Vec<LteAttachConfigurationEntry> = Pairs(configuration_count),
        }
        /// All three.
        response, notify LteAttachConfiguration {
            [configuration_count of configurations]
            /// The contexts.
            configurations: Vec<LteAttachConfigurationEntry> = Pairs(configuration_count),
        }
    }

    /// The default bearer. [MS Basic Connect Extensions, LTE attach]
    cid 4 LTE_ATTACH_INFO {
        /// Asks for it.
        query LteAttachInfoQuery {}
        /// The bearer.
        response, notify LteAttachInfo {
            /// Whether it is attached.
            lte_attach_state: LteAttachState,
            /// Address families.
            ip_type: ContextIpType,
            /// The APN.
            access_string: String = Max(200),
            /// Name for authentication.
            user_name: Personal<String> = Max(510),
            /// Password for authentication.
            password: Secret<String> = Max(510),
            /// Header compression.
            compression: Compression,
            /// How it authenticates.
            auth_protocol: AuthProtocol,
        }
        /// The bearer, with the network's cause. [MBIMEx3.0]
        (mbimex 3) response, notify LteAttachInfoV3 {
            /// Whether it is attached.
            lte_attach_state: LteAttachState,
            /// Why attaching failed.
            nw_error: NwError,
            /// Address families.
            ip_type: ContextIpType,
            /// The APN.
            access_string: String = Max(200),
            /// Name for authentication.
            user_name: Personal<String> = Max(510),
            /// Password for authentication.
            password: Secret<String> = Max(510),
            /// Header compression.
            compression: Compression,
            /// How it authenticates.
            auth_protocol: AuthProtocol,
        }
    }

    /// The modem behind all its functions. [MS Basic Connect Extensions, multi-SIM]
    cid 5 SYS_CAPS {
        /// Asks for it.
        query SysCapsQuery {}
        /// The modem.
        response SysCaps {
            /// Functions.
            number_of_executors: u32,
            /// Card slots.
            number_of_slots: u32,
            /// Functions that can be registered at once.
            concurrency: u32,
            /// The same for all functions of a modem.
            modem_id: u64 = Telling(Plain),
        }
    }

    /// What the device is and can do. [MS Basic Connect Extensions, multi-SIM]
    cid 6 DEVICE_CAPS {
        /// Asks for the capabilities.
        query DeviceCapsV2Query {}
        /// The capabilities.
        response DeviceCapsV2 {
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
            /// Which function of the modem.
            executor_index: u32,
        }
        /// The capabilities, with bands. [MBIMEx3.0]
        (mbimex 3) response DeviceCapsV3 {
            /// How the device is built in.
            device_type: DeviceType,
            /// Families of radio technology.
            cellular_class: CellularClass,
            /// Whether voice calls go beside data.
            voice_class: VoiceClass,
            /// How the SIM is attached.
            sim_class: SimClass,
            /// Radio technologies for data.
            data_class: DataClassV3,
            /// Text messages.
            sms_caps: SmsCaps,
            /// What the host may control.
            control_caps: CtrlCaps,
            /// Kinds of 5G; the bits of [`DataSubclass`], 64 of them here.
            data_subclass: u64,
            /// Most sessions at once.
            max_sessions: u32,
            /// Which function of the modem.
            executor_index: u32,
            /// Bands, one bit each.
            wcdma_band_class: u32,
            /// Bands by number.
            lte_band_class: Vec<u16> = TlvU16s,
            /// Bands by number.
            nr_band_class: Vec<u16> = TlvU16s,
            /// Name of the technology when `data_class` has the custom bit.
            custom_data_class: String = TlvText(22),
            /// IMEI.
            device_id: Personal<String> = TlvText(36),
            /// Version of the firmware.
            firmware_info: String = TlvText(60),
            /// Model of the hardware.
            hardware_info: String = TlvText(60),
        }
    }

    /// Which slot each function uses. A set restarts the subscriber side. [MS Basic Connect Extensions, multi-SIM]
    cid 7 DEVICE_SLOT_MAPPINGS {
        /// Asks for it.
        query DeviceSlotMappingsQuery {}
        /// The slots by function.
        set, response DeviceSlotMappings {
            [map_count of slot_map]
            /// The slots.
            slot_map: Vec<Slot> = Pairs(map_count),
        }
    }

    /// What is in a slot. [MS Basic Connect Extensions, multi-SIM]
    cid 8 SLOT_INFO_STATUS {
        /// Asks for one.
        query SlotInfoQuery {
            /// The slot, from 0.
            slot_index: u32,
        }
        /// The slot.
        response, notify SlotInfo {
            /// The slot, from 0.
            slot_index: u32,
            /// Slot and card.
            state: UiccSlotState,
        }
    }

    /// Protocol configuration options of a session. [MS Basic Connect Extensions, PCO]
    cid 9 PCO {
        /// The options; in a query only `session_id` means something.
        query, response, notify Pco {
            /// Which session.
            session_id: u32,
            [pco_data_size of pco_data_buffer]
            /// Whether all of them came.
            pco_data_type: PcoType,
            /// As in 3GPP TS 24.008 10.5.6.3, at most 256 bytes.
            pco_data_buffer: Vec<u8> = Telling(InlineBytes(pco_data_size)),
        }
    }

    /// Restarts the device. The answer may come late or not at all. [MS Basic Connect Extensions, reset]
    cid 10 DEVICE_RESET {
        /// Restarts, and the empty answer to it.
        set, response DeviceReset {}
    }

    /// Cells in use and nearby. [MS Basic Connect Extensions, cells]
    cid 11 BASE_STATIONS_INFO {
        /// Asks for cells.
        query BaseStationsInfoQuery {
            /// Most cells.
            max_gsm_count: u32,
            /// Most cells.
            max_umts_count: u32,
            /// Most cells.
            max_tdscdma_count: u32,
            /// Most cells.
            max_lte_count: u32,
            /// Most cells.
            max_cdma_count: u32,
        }
        /// The cells.
        response BaseStationsInfo {
            /// Radio technology in use.
            system_type: DataClass,
            /// The cell in use.
            gsm_serving_cell: Option<CellInfoServingGsm> = MsRef,
            /// The cell in use.
            umts_serving_cell: Option<CellInfoServingUmts> = MsRef,
            /// The cell in use.
            tdscdma_serving_cell: Option<CellInfoServingTdscdma> = MsRef,
            /// The cell in use.
            lte_serving_cell: Option<CellInfoServingLte> = MsRef,
            /// Cells nearby.
            gsm_neighboring_cells: Vec<CellInfoNeighboringGsm> = MsArray,
            /// Cells nearby.
            umts_neighboring_cells: Vec<CellInfoNeighboringUmts> = MsArray,
            /// Cells nearby.
            tdscdma_neighboring_cells: Vec<CellInfoNeighboringTdscdma> = MsArray,
            /// Cells nearby.
            lte_neighboring_cells: Vec<CellInfoNeighboringLte> = MsArray,
            /// Cells in use and nearby.
            cdma_cells: Vec<CellInfoCdma> = MsArray,
        }
        /// Asks for cells. [MBIMEx3.0]
        (mbimex 3) query BaseStationsInfoQueryV3 {
            /// Most cells.
            max_gsm_count: u32,
            /// Most cells.
            max_umts_count: u32,
            /// Most cells.
            max_tdscdma_count: u32,
            /// Most cells.
            max_lte_count: u32,
            /// Most cells.
            max_cdma_count: u32,
            /// Most cells.
            max_nr_count: u32,
        }
        /// The cells, 5G too. [MBIMEx3.0]
        (mbimex 3) response BaseStationsInfoV3 {
            /// Radio technology in use.
            system_type: DataClassV3,
            /// Kind of 5G.
            system_sub_type: DataSubclass,
            /// The cell in use.
            gsm_serving_cell: Option<CellInfoServingGsm> = MsRef,
            /// The cell in use.
            umts_serving_cell: Option<CellInfoServingUmts> = MsRef,
            /// The cell in use.
            tdscdma_serving_cell: Option<CellInfoServingTdscdma> = MsRef,
            /// The cell in use.
            lte_serving_cell: Option<CellInfoServingLte> = MsRef,
            /// Cells nearby.
            gsm_neighboring_cells: Vec<CellInfoNeighboringGsm> = MsArray,
            /// Cells nearby.
            umts_neighboring_cells: Vec<CellInfoNeighboringUmts> = MsArray,
            /// Cells nearby.
            tdscdma_neighboring_cells: Vec<CellInfoNeighboringTdscdma> = MsArray,
            /// Cells nearby.
            lte_neighboring_cells: Vec<CellInfoNeighboringLte> = MsArray,
            /// Cells in use and nearby.
            cdma_cells: Vec<CellInfoCdma> = MsArray,
            /// Cells in use.
            nr_serving_cells: Vec<CellInfoServingNr> = MsArray,
            /// Cells nearby.
            nr_neighbor_cells: Vec<CellInfoNeighboringNr> = MsArray,
        }
    }

    /// Where the device is registered. [MS Basic Connect Extensions, location]
    cid 12 LOCATION_INFO_STATUS {
        /// Asks for it.
        query LocationInfoQuery {}
        /// The area; 0xFFFFFFFF where it does not apply.
        response, notify LocationInfo {
            /// Location area code.
            location_area_code: u32 = Telling(Plain),
            /// Tracking area code.
            tracking_area_code: u32 = Telling(Plain),
            /// Cell.
            cell_id: u32 = Telling(Plain),
        }
    }

    /// What the modem writes down for its maker, over a data service stream. [MS Basic Connect Extensions, logging]
    cid 13 MODEM_LOGGING_CONFIG {
        /// Asks for it.
        query ModemLoggingConfigQuery {}
        /// The settings.
        set, response, notify ModemLoggingConfig {
            /// 1.
            version: u32,
            /// Most KiB of one piece.
            max_segment_size: u32,
            /// Most milliseconds before a piece is sent.
            max_flush_time: u32,
            /// How much.
            level_config: ModemLoggingLevel,
        }
    }

    /// A code of one application on the card. [MS Basic Connect Extensions, PIN of an application]
    cid 14 PIN_EX {
        /// Asks which code is due.
        query PinExQuery {
            /// 1.
            version: u32,
            /// The application.
            app_id: Vec<u8> = RefBytes,
        }
        /// Enters or changes a code.
        set PinExSet {
            /// Which code.
            pin_type: PinType,
            /// What to do.
            pin_operation: PinOperation,
            /// The code.
            pin: Secret<String> = Max(32),
            /// The new code.
            new_pin: Secret<String> = Max(32),
            /// The application.
            app_id: Vec<u8> = RefBytes,
        }
        /// The code that is due.
        response PinEx {
            /// Which code.
            pin_type: PinType,
            /// Whether it is asked for.
            pin_state: PinState,
            /// Attempts left; 0xFFFFFFFF unknown.
            remaining_attempts: u32,
        }
    }

    /// Which releases host and device speak. The second command of a session when the device lists it, and nothing
    /// else may come in that place. [MBIMEx2.0]
    cid 15 VERSION {
        /// The host's releases, and the device's in the answer.
        query, response Version {
            /// Release of MBIM in BCD, 0x0100.
            version: u16,
            /// Release of Microsoft's extensions in BCD: 0x0100, 0x0200, 0x0300 or 0x0400.
            extended_version: u16,
        }
    }

    /// Progress of the modem configuring itself for an operator. [MBIMEx3.0]
    cid 16 MODEM_CONFIGURATION {
        /// Asks for it.
        (mbimex 3) query ModemConfigurationQuery {}
        /// The progress.
        (mbimex 3) response, notify ModemConfiguration {
            /// How far.
            configuration_status: ModemConfigurationStatus,
            /// Which configuration.
            configuration_name: String = TlvText(510),
            /// Further information elements.
            unnamed_ies: Vec<Tlv> = Tlvs,
        }
    }

    /// What the device asks for when it registers with 5G. [MBIMEx3.0]
    cid 17 REGISTRATION_PARAMETERS {
        /// Asks for it.
        (mbimex 3) query RegistrationParametersQuery {}
        /// The parameters.
        (mbimex 3) set, response, notify RegistrationParameters {
            /// Mobile-initiated communication only.
            mico_mode: MicoMode,
            /// Discontinuous reception.
            drx_cycle: DrxCycle,
            /// Local area data networks.
            ladn_info: LadnInfo,
            /// Whether the host will activate the default context.
            default_pdu_activation_hint: DefaultPduActivationHint,
            /// Whether to register again when something changed.
            re_register_if_needed: bool,
            /// Further information elements.
            unnamed_ies: Vec<Tlv> = Tlvs,
        }
    }

    /// What the 5G network has agreed to. [MBIMEx3.0]
    cid 18 NETWORK_PARAMS {
        /// Asks for it.
        (mbimex 3) query NetworkParamsQuery {}
        /// The parameters.
        (mbimex 3) response, notify NetworkParams {
            /// 0 not allocated, 1 allocated, 0xFFFFFFFF not applicable.
            mico_indication: u32,
            /// Discontinuous reception.
            drx_params: u32,
            /// Further information elements.
            unnamed_ies: Vec<Tlv> = Tlvs,
        }
    }

    /// What woke the host. [MBIMEx3.0]
    cid 19 WAKE_REASON {
        /// Asks for it.
        (mbimex 3) query WakeReasonQuery {}
        /// The reason.
        (mbimex 3) response WakeReason {
            /// Kind of reason.
            wake_type: WakeType,
            /// Which session.
            session_id: u32,
            /// The command or the packet: one element of type 16 or 17.
            wake_tlv: Vec<Tlv> = Tlvs,
        }
    }
}
