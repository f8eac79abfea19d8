//! Account-provisioning documents as the operator's own program hands them over: unsigned, `[PROV 3, 4]`.
//! `Activation` holds exactly one directive, so buying takes two documents: the first makes the modem send the
//! activation data, the second brings the profile and reconnects with it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::network::{ACTIVATION_BLOB, Network};

/// The operator's number in all its documents.
pub const CARRIER_ID: &str = "{5f0c6b1e-3a52-4a3c-9d0b-6d62696d6401}";
/// Hardware id of every SIM of the network 001/01.
const HWID: &str = "MBOP:1:I05:REJNFRG6LZF3CVPSEGHNKADP";
/// Name of the operator, as records and documents write it.
pub const OPERATOR_NAME: &str = "Example Mobile";

const CC: &str = "http://www.microsoft.com/networking/CarrierControl/v1";
const WWAN: &str = "http://www.microsoft.com/networking/CarrierControl/WWAN/v1";

/// The document whose directive is ServiceActivation.
#[must_use]
pub fn activation(network: &Network) -> String {
    let data = STANDARD.encode(ACTIVATION_BLOB);
    document(
        network,
        &format!(
            "  <Activation>\n    <ServiceActivation xmlns=\"{WWAN}\" RetryCount=\"1\">\n      \
             <CarrierSpecificData>{data}</CarrierSpecificData>\n    </ServiceActivation>\n  </Activation>\n"
        ),
    )
}

/// The document that brings the default profile with the plan's APN and reconnects.
#[must_use]
pub fn profile(network: &Network) -> String {
    let apn = &network.scenario().plan_apn;
    document(
        network,
        &format!(
            "  <Activation>\n    <ReconnectToNetwork xmlns=\"{WWAN}\" RetryCount=\"2\"/>\n  </Activation>\n  \
             <MBNProfiles>\n    <DefaultProfile xmlns=\"{WWAN}\">\n      <Name>{OPERATOR_NAME}</Name>\n      \
             <HomeProviderName>{OPERATOR_NAME}</HomeProviderName>\n      <Context>\n        \
             <AccessString>{apn}</AccessString>\n      </Context>\n    </DefaultProfile>\n  </MBNProfiles>\n"
        ),
    )
}

fn document(network: &Network, sections: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<CarrierProvisioning xmlns=\"{CC}\">\n  <Global>\n    \
         <CarrierId>{CARRIER_ID}</CarrierId>\n    <SubscriberId>{}</SubscriberId>\n  </Global>\n{sections}\
         </CarrierProvisioning>\n",
        network.subscriber().imsi
    )
}

/// The operator's record for an overlay directory, in the format of `[OPER 3.3]`: the record of the test network
/// 001/01, chosen by the hardware id of all its SIMs `[OPER 2.2]`, with the account URL; and beside it a reseller on
/// the same network whose record asks for its own name on the SIM and so is passed over.
#[must_use]
pub fn overlay(network: &Network) -> String {
    let apn = &network.scenario().apn;
    let url = crate::address::ACCOUNT_URL;
    format!(
        r#"<?xml version="1.0" encoding="utf-8"?>
<serviceproviders format="2.0" xmlns:ov="urn:x-operator-overlay:1">
  <country code="zz">
    <provider>
      <name>{OPERATOR_NAME}</name>
      <ov:account-url>{url}</ov:account-url>
      <gsm>
        <network-id mcc="001" mnc="01"/>
        <ov:select hwid="{HWID}"/>
        <apn value="{apn}">
          <usage type="internet"/>
          <name>Internet</name>
        </apn>
        <apn value="mms.mobile.example">
          <usage type="mms"/>
        </apn>
      </gsm>
    </provider>
    <provider>
      <name>Budget Example</name>
      <ov:account-url>https://budget.example/start</ov:account-url>
      <gsm>
        <network-id mcc="001" mnc="01"/>
        <ov:select spn="Budget Example"/>
        <apn value="budget.example">
          <usage type="internet"/>
        </apn>
      </gsm>
    </provider>
  </country>
</serviceproviders>
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Subscriber;
    use crate::scenario::Scenario;

    #[test]
    fn documents_name_subscriber_and_directive() {
        let network = Network::new(Scenario::garden(), Subscriber::canary());
        let first = activation(&network);
        assert!(first.contains("<SubscriberId>001017394628051</SubscriberId>"));
        assert!(first.contains(&STANDARD.encode(ACTIVATION_BLOB)));
        assert!(!first.contains("MBNProfiles"));
        let second = profile(&network);
        assert!(second.contains("<AccessString>plus.mobile.example</AccessString>"));
        assert_eq!(second.matches("<Activation>").count(), 1);
    }
}
