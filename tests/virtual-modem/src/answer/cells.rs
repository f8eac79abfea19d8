//! Where the modem is: cells, location, tracking area, the network's time.

use super::{Answer, EXTENSIONS, Row, decoded, encoded, of};
use crate::machine::{Ticket, VirtualModem};
use crate::profile::Release;
use crate::wire::Command;
use core::time::Duration;
use mbim_proto::service::MS_VOICE_EXTENSIONS as VOICE;
use mbim_proto::service::basic_connect as bc;
use mbim_proto::service::ms_basic_connect_ext as ext;
use mbim_proto::service::ms_voice_extensions::Nitz;

pub(super) static ROWS: &[Row] = &[
    of(EXTENSIONS, 11, Some(base_stations), None, false),
    of(EXTENSIONS, 12, Some(location), None, true),
    of(VOICE, 10, Some(nitz), None, true),
];

const GSM: u32 = 0x3;
const UMTS: u32 = 0x1c;
const LTE: u32 = 0x20;
const NSA: u32 = 0x40;
const SA: u32 = 0x80;
/// A number that is not known.
const UNKNOWN: u32 = u32::MAX;

/// As many cells as were asked for.
fn first<T: Clone>(cells: &[T], most: u32) -> Vec<T> {
    cells.iter().take(most as usize).cloned().collect()
}

fn base_stations(modem: &mut VirtualModem, _: Duration, command: &Command, _: Ticket) -> Result<Answer, Answer> {
    let limits = if modem.host.release < Release::V3 {
        let asked: ext::BaseStationsInfoQuery = decoded(command)?;
        ext::BaseStationsInfoQueryV3 {
            max_gsm_count: asked.max_gsm_count,
            max_umts_count: asked.max_umts_count,
            max_tdscdma_count: asked.max_tdscdma_count,
            max_lte_count: asked.max_lte_count,
            max_cdma_count: asked.max_cdma_count,
            max_nr_count: 0,
        }
    } else {
        decoded(command)?
    };
    let cells = &modem.profile.holdings.cells;
    let class = modem.camped_class();
    let id = modem.life.carrier().map(|carrier| carrier.id.clone()).unwrap_or_default();
    let on = |classes: u32| class & classes != 0;
    let gsm_serving_cell = on(GSM).then(|| ext::CellInfoServingGsm { provider_id: id.clone(), ..cells.gsm.clone() });
    let umts_serving_cell =
        on(UMTS).then(|| ext::CellInfoServingUmts { provider_id: id.clone(), ..cells.umts.clone() });
    let lte_serving_cell =
        on(LTE | NSA).then(|| ext::CellInfoServingLte { provider_id: id.clone(), ..cells.lte.clone() });
    let seen = modem.life.radio_on() && modem.profile.network.coverage;
    let nearby = |most: u32| if seen { most } else { 0 };
    let gsm_neighboring_cells = first(&cells.gsm_nearby, nearby(limits.max_gsm_count));
    let umts_neighboring_cells = first(&cells.umts_nearby, nearby(limits.max_umts_count));
    let lte_neighboring_cells = first(&cells.lte_nearby, nearby(limits.max_lte_count));
    if modem.host.release < Release::V3 {
        return Ok(Answer::ok(&ext::BaseStationsInfo {
            system_type: bc::DataClass(class),
            gsm_serving_cell,
            umts_serving_cell,
            lte_serving_cell,
            gsm_neighboring_cells,
            umts_neighboring_cells,
            lte_neighboring_cells,
            ..ext::BaseStationsInfo::default()
        }));
    }
    let nr_serving_cells: Vec<_> = on(NSA | SA)
        .then(|| ext::CellInfoServingNr { provider_id: id.clone(), ..cells.nr.clone() })
        .into_iter()
        .collect();
    let (system_type, system_sub_type) = modem.class_of_release_3(class);
    Ok(Answer::ok(&ext::BaseStationsInfoV3 {
        system_type,
        system_sub_type,
        gsm_serving_cell,
        umts_serving_cell,
        lte_serving_cell,
        gsm_neighboring_cells,
        umts_neighboring_cells,
        lte_neighboring_cells,
        nr_serving_cells,
        nr_neighbor_cells: first(&cells.nr_nearby, nearby(limits.max_nr_count)),
        ..ext::BaseStationsInfoV3::default()
    }))
}

fn location(modem: &mut VirtualModem, _: Duration, _: &Command, _: Ticket) -> Result<Answer, Answer> {
    Ok(Answer::Done(0, modem.location_body()))
}

fn nitz(modem: &mut VirtualModem, _: Duration, _: &Command, _: Ticket) -> Result<Answer, Answer> {
    let unknown = Nitz {
        year: UNKNOWN,
        month: UNKNOWN,
        day: UNKNOWN,
        hour: UNKNOWN,
        minute: UNKNOWN,
        second: UNKNOWN,
        time_zone_offset_minutes: UNKNOWN,
        daylight_saving_time_offset_minutes: UNKNOWN,
        data_class: bc::DataClass::NONE,
    };
    Ok(Answer::ok(&modem.profile.holdings.cells.time.clone().unwrap_or(unknown)))
}

impl VirtualModem {
    /// The technology of the cell that the modem is in, attached or not; 0 without registration.
    pub(crate) fn camped_class(&self) -> u32 {
        let classes = self.available_data_classes();
        if classes == 0 { 0 } else { 1 << classes.ilog2() }
    }

    pub(crate) fn is_on_lte(&self) -> bool {
        self.camped_class() & (LTE | NSA) != 0
    }

    /// Location area code, tracking area code and cell, as far as the technology has them.
    pub(crate) fn place(&self) -> (u32, u32, u32) {
        let cells = &self.profile.holdings.cells;
        match self.camped_class() {
            class if class & GSM != 0 => (cells.gsm.location_area_code, UNKNOWN, cells.gsm.cell_id),
            class if class & UMTS != 0 => (cells.umts.location_area_code, UNKNOWN, cells.umts.cell_id),
            class if class & (LTE | NSA) != 0 => (UNKNOWN, cells.lte.tac, cells.lte.cell_id),
            // A 5G cell's number has 36 bits; the field has 32.
            class if class & SA != 0 => (UNKNOWN, cells.nr.tac, UNKNOWN),
            _ => (UNKNOWN, UNKNOWN, UNKNOWN),
        }
    }

    /// Network and tracking area; zeros without one.
    pub(crate) fn tai(&self) -> bc::Tai {
        let (_, tac, _) = self.place();
        let digits = self.life.carrier().and_then(|carrier| carrier.id.split_at_checked(3));
        let numbers = digits.and_then(|(mcc, mnc)| Some((mcc.parse().ok()?, mnc.parse().ok()?)));
        match numbers.filter(|_| tac != UNKNOWN) {
            Some((plmn_mcc, plmn_mnc)) => bc::Tai { plmn_mcc, plmn_mnc, tac },
            None => bc::Tai::default(),
        }
    }

    fn location_body(&self) -> Vec<u8> {
        let (location_area_code, tracking_area_code, cell_id) = self.place();
        encoded(&ext::LocationInfo { location_area_code, tracking_area_code, cell_id })
    }

    pub(crate) fn indicate_location(&mut self, now: Duration) {
        let body = self.location_body();
        self.indicate(now, EXTENSIONS, 12, body);
    }

    /// A data class as MBIMEx 3.0 tells it: one bit for 5G, and which kind.
    pub(crate) fn class_of_release_3(&self, class: u32) -> (bc::DataClassV3, bc::DataSubclass) {
        match class {
            SA => (bc::DataClassV3(NSA), bc::DataSubclass::NR),
            NSA => (bc::DataClassV3(NSA), bc::DataSubclass::ENDC),
            class => (bc::DataClassV3(class), bc::DataSubclass::NONE),
        }
    }
}
