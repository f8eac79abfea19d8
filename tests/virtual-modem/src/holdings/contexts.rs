//! Stored contexts. [MS Basic Connect Extensions]

use mbim_proto::service::basic_connect::{AuthProtocol, Compression, ContextIpType, ProvisionedContextElement};
use mbim_proto::service::context_type;
use mbim_proto::service::ms_basic_connect_ext as ext;

/// Contexts by type, and the three of the default bearer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contexts {
    /// By their numbers, as Basic Connect has them.
    pub numbered: Vec<ProvisionedContextElement>,
    /// One for each type, as the extensions have them.
    pub stored: Vec<ext::ProvisionedContextElementV2>,
    /// What `stored` is restored to.
    pub factory: Vec<ext::ProvisionedContextElementV2>,
    /// For the home network, for partners' and for others', in this order.
    pub attach: Vec<ext::LteAttachConfigurationEntry>,
    /// What `attach` is restored to.
    pub attach_factory: Vec<ext::LteAttachConfigurationEntry>,
    /// Protocol configuration options that the network sends with every bearer, at most 256 bytes.
    pub pco: Vec<u8>,
}

impl Default for Contexts {
    /// The operator's `internet` and `purchase`; `internet` for the default bearer everywhere; two options: a name server
    /// and one of the operator's own.
    fn default() -> Self {
        let context = |context_id, context_type, ip_type, access_string: &str| ext::ProvisionedContextElementV2 {
            context_id,
            context_type,
            ip_type,
            state: ext::ContextState::ENABLED,
            roaming: ext::ContextRoamingControl::ALLOW_ALL,
            media_type: ext::ContextMediaType::CELLULAR_ONLY,
            source: ext::ContextSource::OPERATOR,
            access_string: access_string.into(),
            user_name: "user".into(),
            password: "secret".into(),
            compression: Compression::NONE,
            auth_protocol: AuthProtocol::CHAP,
        };
        let factory = vec![
            context(1, context_type::INTERNET, ContextIpType::IPV4V6, "internet"),
            context(2, context_type::PURCHASE, ContextIpType::IPV4, "purchase"),
        ];
        let attach_factory: Vec<_> = [
            ext::LteAttachContextRoamingControl::HOME,
            ext::LteAttachContextRoamingControl::PARTNER,
            ext::LteAttachContextRoamingControl::NON_PARTNER,
        ]
        .into_iter()
        .map(|roaming| ext::LteAttachConfigurationEntry {
            ip_type: ContextIpType::IPV4V6,
            roaming,
            source: ext::ContextSource::OPERATOR,
            access_string: "internet".into(),
            user_name: "attach".into(),
            password: "pass".into(),
            compression: Compression::NONE,
            auth_protocol: AuthProtocol::PAP,
        })
        .collect();
        Self {
            numbered: Vec::new(),
            stored: factory.clone(),
            factory,
            attach: attach_factory.clone(),
            attach_factory,
            // PPP; 000D name server 10.64.0.1; FF00 of operator 001/01.
            pco: vec![0x80, 0x00, 0x0d, 4, 10, 64, 0, 1, 0xff, 0x00, 4, 0x00, 0xf1, 0x10, 0x2a],
        }
    }
}

impl Contexts {
    /// Stores a context in the place of its type, or behind the others.
    pub(crate) fn store(&mut self, mut context: ext::ProvisionedContextElementV2) {
        match self.stored.iter_mut().find(|held| held.context_type == context.context_type) {
            Some(held) => {
                context.context_id = held.context_id;
                *held = context;
            }
            None => {
                let last = self.stored.iter().map(|held| held.context_id).max().unwrap_or(0);
                context.context_id = last.wrapping_add(1);
                self.stored.push(context);
            }
        }
    }
}
