//! Cells and the network's time. [MS Basic Connect Extensions, cells]

use mbim_proto::service::basic_connect::DataClass;
use mbim_proto::service::ms_basic_connect_ext as ext;
use mbim_proto::service::ms_voice_extensions::Nitz;

/// What is around. The modem is in one of them when it is registered, by the technology in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cells {
    /// Where the modem would be on GSM.
    pub gsm: ext::CellInfoServingGsm,
    /// Where the modem would be on UMTS.
    pub umts: ext::CellInfoServingUmts,
    /// Where the modem would be on LTE.
    pub lte: ext::CellInfoServingLte,
    /// Where the modem would be on 5G.
    pub nr: ext::CellInfoServingNr,
    /// GSM cells nearby.
    pub gsm_nearby: Vec<ext::CellInfoNeighboringGsm>,
    /// UMTS cells nearby.
    pub umts_nearby: Vec<ext::CellInfoNeighboringUmts>,
    /// LTE cells nearby.
    pub lte_nearby: Vec<ext::CellInfoNeighboringLte>,
    /// 5G cells nearby.
    pub nr_nearby: Vec<ext::CellInfoNeighboringNr>,
    /// What the network has told of the time; none before it did.
    pub time: Option<Nitz>,
}

impl Default for Cells {
    /// Cells of the test network with two neighbours on LTE, one each on the others; a time west of Greenwich.
    fn default() -> Self {
        let id = || String::from("00101");
        let lte = |cell_id, physical_cell_id, rsrp, rsrq| ext::CellInfoNeighboringLte {
            provider_id: id(),
            cell_id,
            earfcn: 1300,
            physical_cell_id,
            tac: 0x1a2b,
            rsrp,
            rsrq,
        };
        Self {
            gsm: ext::CellInfoServingGsm {
                provider_id: id(),
                location_area_code: 0x2a01,
                cell_id: 0x1001,
                timing_advance: 1,
                arfcn: 62,
                base_station_id: 12,
                rx_level: 40,
            },
            umts: ext::CellInfoServingUmts {
                provider_id: id(),
                location_area_code: 0x2a02,
                cell_id: 0x0100_2002,
                frequency_info_ul: 9738,
                frequency_info_dl: 10688,
                frequency_info_nt: u32::MAX,
                uarfcn: 10688,
                primary_scrambling_code: 42,
                rscp: -88,
                ecno: -7,
                path_loss: 110,
            },
            lte: ext::CellInfoServingLte {
                provider_id: id(),
                cell_id: 0x0123_4501,
                earfcn: 1300,
                physical_cell_id: 301,
                tac: 0x1a2b,
                rsrp: -93,
                rsrq: -9,
                timing_advance: 4,
            },
            nr: ext::CellInfoServingNr {
                provider_id: id(),
                nci: 0x1_2345_6789,
                physical_cell_id: 501,
                nrarfcn: 632_628,
                tac: 0x00_1a2c,
                rsrp: 66,
                rsrq: 65,
                sinr: 61,
                timing_advance: 7,
            },
            gsm_nearby: vec![ext::CellInfoNeighboringGsm {
                provider_id: id(),
                location_area_code: 0x2a01,
                cell_id: 0x1002,
                arfcn: 70,
                base_station_id: 13,
                rx_level: 31,
            }],
            umts_nearby: vec![ext::CellInfoNeighboringUmts {
                provider_id: id(),
                location_area_code: 0x2a02,
                cell_id: 0x0100_2003,
                uarfcn: 10688,
                primary_scrambling_code: 43,
                rscp: -97,
                ecno: -12,
                path_loss: 121,
            }],
            lte_nearby: vec![lte(0x0123_4502, 302, -101, -12), lte(0x0123_4503, 303, -110, -15)],
            nr_nearby: vec![ext::CellInfoNeighboringNr {
                system_sub_type: mbim_proto::service::basic_connect::DataSubclass::NR,
                provider_id: id(),
                cell_id: "4886718346".into(),
                physical_cell_id: 502,
                tac: 0x00_1a2c,
                rsrp: 50,
                rsrq: 60,
                sinr: 40,
            }],
            time: Some(Nitz {
                year: 2026,
                month: 11,
                day: 21,
                hour: 8,
                minute: 9,
                second: 7,
                time_zone_offset_minutes: (-240_i32).cast_unsigned(),
                daylight_saving_time_offset_minutes: 60,
                data_class: DataClass::LTE,
            }),
        }
    }
}
