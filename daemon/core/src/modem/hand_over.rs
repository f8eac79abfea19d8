//! When the person has to do something at the operator's: what their agent is asked for. `[OPER 5, W-OV]`

use super::machine::Modem;
use super::online::WALLED;
use super::tables::{Context, Reach, SimState};
use crate::snapshot::HandOver;

impl Modem {
    /// Connected and Internet: nothing. Connected without: the page, on a fresh link. Not connected because nothing is
    /// bought: the page by another way. Not connected for another reason: that is said, and no page is opened.
    pub(super) fn hand_over_wanted(&self) -> HandOver {
        let page = !self.portal_source().0.is_empty();
        match self.tables.context {
            Context::Up => match self.tables.reach {
                Reach::Portal if page => HandOver::Open,
                Reach::Limited if page && (self.online.reason == WALLED || !self.online.was_full) => HandOver::Open,
                _ => HandOver::None,
            },
            // What is being tried is not known to fail.
            Context::Activating | Context::Configuring | Context::Linking | Context::Deactivating => HandOver::None,
            Context::Down | Context::Waiting => {
                let unbought = self.dialer.purchase || self.tables.sim == SimState::NotActivated;
                let failed = self.dialer.failed_rounds > 0 || self.dialer.hold.is_some();
                if unbought && page {
                    HandOver::OpenElsewhere
                } else if (unbought || failed) && !self.dialer.user_off {
                    HandOver::Notify
                } else {
                    HandOver::None
                }
            }
        }
    }
}
