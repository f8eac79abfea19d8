//! Which release of the extensions is in force: the layout of later messages depends on it.

use mbim_proto::message::Content;
use mbim_proto::service::ms_basic_connect_ext::Version;
use mbim_proto::service::proxy_control::ProxyVersion;
use mbim_proto::service::{PROXY_CONTROL, canonical};
use mbim_proto::{Body, MbimEx, Message};

/// Follows one device's conversation to know the release that both sides agreed on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Agreed {
    host: Option<MbimEx>,
    release: MbimEx,
    /// It goes through libmbim's proxy, which opens a session that others use already.
    shared: bool,
}

impl Agreed {
    /// A conversation that is under way.
    pub const fn on(release: MbimEx) -> Self {
        Self { host: None, release, shared: false }
    }

    /// The release in force.
    pub const fn release(&self) -> MbimEx {
        self.release
    }

    /// Takes the next whole message: the release is the lower one of what the host asked with and what the device answered.
    pub fn follow(&mut self, message: &[u8]) {
        match Message::decode(message).map(|message| message.content) {
            Ok(Content::Open(_)) if !self.shared => *self = Self::default(),
            Ok(Content::Command(command)) if command.is::<Version>() => {
                self.host = Version::decode(&command.buffer).ok().map(|host| MbimEx::from_bcd(host.extended_version));
            }
            Ok(Content::CommandDone(done))
                if done.status.is_success()
                    && (canonical(done.service), done.cid) == (Version::SERVICE, Version::CID) =>
            {
                if let Ok(Some(device)) = done.body::<Version>() {
                    let device = MbimEx::from_bcd(device.extended_version);
                    self.release = self.host.map_or(device, |host| host.min(device));
                }
            }
            Ok(Content::IndicateStatus(told)) if (told.service, told.cid) == (PROXY_CONTROL, ProxyVersion::CID) => {
                if let Ok(version) = ProxyVersion::decode(&told.buffer) {
                    (self.release, self.shared) = (MbimEx::from_bcd(version.extended_version), true);
                }
            }
            _ => {}
        }
    }
}
