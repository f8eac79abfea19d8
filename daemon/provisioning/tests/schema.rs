//! What the schema takes and what it refuses, one fault at a time. The numbers are those of the
//! conformance checklist.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

use daemon_provisioning::{Code, validate};

const NAMESPACES: &str = "xmlns='http://www.microsoft.com/networking/CarrierControl/v1' \
    xmlns:v2='http://www.microsoft.com/networking/CarrierControl/v2' \
    xmlns:w='http://www.microsoft.com/networking/CarrierControl/WWAN/v1' \
    xmlns:l='http://www.microsoft.com/networking/CarrierControl/WLAN/v1' \
    xmlns:l2='http://www.microsoft.com/networking/CarrierControl/WLAN/v2' \
    xmlns:p='http://www.microsoft.com/networking/CarrierControl/Plans/v1' \
    xmlns:b='http://www.microsoft.com/networking/CarrierControl/Base/v1' \
    xmlns:h='http://www.microsoft.com/networking/WLAN/HotspotProfile/v1' \
    xmlns:o='http://www.microsoft.com/networking/OneX/v1' \
    xmlns:e='http://www.microsoft.com/provisioning/EapHostConfig' \
    xmlns:d='http://www.w3.org/2000/09/xmldsig#' \
    xmlns:dusm='http://www.microsoft.com/networking/CarrierControl/DUSM/v1' \
    xmlns:f='urn:example:foreign' \
    xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'";
const GLOBAL: &str = "<Global><CarrierId>{7d3c1f52-0b5e-4c7a-9a41-5e2f6b8c9d10}</CarrierId>\
    <SubscriberId>1</SubscriberId></Global>";

fn document(body: &str) -> String {
    format!("<CarrierProvisioning {NAMESPACES}>{body}</CarrierProvisioning>")
}

fn with_global(body: &str) -> String {
    document(&format!("{GLOBAL}{body}"))
}

/// Every violation without its place.
fn rules(xml: &str) -> Vec<String> {
    match validate(xml.as_bytes()) {
        Ok(_) => Vec::new(),
        Err(invalid) => {
            assert_eq!(invalid.code(), Code::XML_INVALID, "{xml}: {invalid}");
            let violations = invalid.violations().iter();
            violations
                .map(|v| {
                    let leaf = v.path.rsplit('/').next().unwrap();
                    format!("{leaf}: {}", v.rule)
                })
                .collect()
        }
    }
}

fn good(bodies: &[&str]) {
    for body in bodies {
        assert_eq!(rules(&with_global(body)), [""; 0], "{body}");
    }
}

/// Each body has exactly one violation, which begins so.
fn bad(bodies: &[(&str, &str)]) {
    for (body, want) in bodies {
        let found = rules(&with_global(body));
        assert!(matches!(&found[..], [one] if one.starts_with(want)), "{body}: {found:?} instead of {want}");
    }
}

/// Replaces the mark in a frame, and asks the same of each.
fn framed(frame: &str, goods: &[&str], bads: &[(&str, &str)]) {
    for body in goods {
        good(&[&frame.replace("[]", body)]);
    }
    for (body, want) in bads {
        bad(&[(&frame.replace("[]", body), want)]);
    }
}

/// PROV-007, PROV-008.
#[test]
fn root() {
    for xml in [
        format!("<Other {NAMESPACES}/>"),
        "<CarrierProvisioning/>".to_owned(),
        with_global("").replace("http://www.microsoft", "https://www.microsoft"),
    ] {
        let found = rules(&xml);
        assert!(found[0].contains("the root must be"), "{found:?}");
        assert_eq!(found.len(), 1);
    }
}

/// PROV-009, PROV-015, PROV-016: how it is written does not matter.
#[test]
fn spelling_of_the_same() {
    let prefixed = with_global("<Activation><w:ReconnectToNetwork/></Activation>");
    assert_eq!(rules(&prefixed), [""; 0]);
    good(&[
        "<Activation><ReconnectToNetwork \
         xmlns='http://www.microsoft.com/networking/CarrierControl/WWAN/v1'/></Activation>",
        "<!-- c --><?p i?>\n  <Activation>\n<!-- <x> --><w:ReconnectToNetwork \
         Delay='  PT5S '/><?p?></Activation>",
        "<Provisioning><RefreshParameters><DelayInDays>3<!-- 9 -->0</DelayInDays>\
         <RefreshURL>htt<![CDATA[ps://]]>a</RefreshURL></RefreshParameters></Provisioning>",
    ]);
    bad(&[(
        "<Provisioning><RefreshParameters><DelayInDays>73<!-- -->1</DelayInDays>\
         <RefreshURL>https://a</RefreshURL></RefreshParameters></Provisioning>",
        "DelayInDays: must be a whole number from 1 to 730",
    )]);
}

/// PROV-010 to PROV-014, PROV-019 to PROV-022.
#[test]
fn sections_and_global() {
    let id = "<CarrierId>{7d3c1f52-0b5e-4c7a-9a41-5e2f6b8c9d10}</CarrierId>";
    for (body, want) in [
        ("", "CarrierProvisioning: Global is missing"),
        ("<Global/>", "Global: CarrierId is missing"),
        (&format!("<Global>{id}</Global>"), "Global: SubscriberId is missing"),
        (
            &format!("<Global><SubscriberId>1</SubscriberId>{id}</Global>"),
            "CarrierId: out of order; the order is CarrierId, SubscriberId, DeviceId",
        ),
        (&format!("<Global>{id}<SubscriberId>a_b</SubscriberId></Global>"), "SubscriberId: must be 1 to 20 letters"),
        (&format!("{GLOBAL}{GLOBAL}"), "Global[2]: may occur only once"),
        (&format!("<Global>{id}<SubscriberId>1</SubscriberId><f:x/></Global>"), "x: no such element here"),
        (&format!("<Global>{id}text<SubscriberId>1</SubscriberId></Global>"), "Global: text may not stand here"),
        (&format!("<Global>{id}<SubscriberId><b/></SubscriberId></Global>"), "SubscriberId: must be 1 to 20"),
    ] {
        let found = rules(&document(body));
        assert!(found[0].starts_with(want), "{body}: {found:?}");
    }
    bad(&[
        ("<Other/>", "Other: no such element here"),
        ("<Plans/>", "Plans: Plan is missing"),
        ("<v2:Extensions_v2/>", "Extensions_v2: no such element here"),
        ("<f:x/>", "x: no such element here"),
        ("<WLANProfiles f:a=''/>", "@a: no such attribute here"),
        ("<WLANProfiles xsi:nil='true'/>", "@nil: no such attribute here"),
        ("<WLANProfiles a=''/>", "@a: no such attribute here"),
    ]);
    good(&[
        "<WLANProfiles/>",
        "<Provisioning/>",
        "<MBNProfiles/>",
        "<Extensions/>",
        "<WLANProfiles xml:lang='en' xsi:schemaLocation='a b'/>",
    ]);
}

/// All faults are found, in the document's order.
#[test]
fn all_violations_are_collected() {
    let found = rules(&document(
        "<Global a='1'><CarrierId>x</CarrierId><SubscriberId>_</SubscriberId></Global>\
         <Plans/><Activation/><Plans/>",
    ));
    assert_eq!(
        found,
        [
            "@a: no such attribute here",
            "CarrierId: must be a GUID in braces",
            "SubscriberId: must be 1 to 20 letters or digits, without punctuation or space",
            "Plans[1]: Plan is missing",
            "Activation: out of order; the order is Global, Activation, MBNProfiles, \
             WLANProfiles, Plans, Provisioning, Extensions, Signature",
            "Activation: ServiceActivation or ReconnectToNetwork or ReregisterToNetwork is missing",
            "Plans[2]: may occur only once",
            "Plans[2]: Plan is missing",
        ]
    );
}

/// PROV-053 to PROV-059, PROV-068.
#[test]
fn activation() {
    framed(
        "<Activation>[]</Activation>",
        &[
            "<w:ReregisterToNetwork Delay='PT30S' RetryCount='3' RetryInterval='PT1M'/>",
            "<w:ServiceActivation><w:CarrierSpecificData> QQ == </w:CarrierSpecificData>\
             </w:ServiceActivation>",
        ],
        &[
            ("", "Activation: ServiceActivation or"),
            ("<w:ReconnectToNetwork/><w:ReregisterToNetwork/>", "ReregisterToNetwork: may not be combined"),
            ("<w:ReconnectToNetwork>x</w:ReconnectToNetwork>", "ReconnectToNetwork: text may not"),
            ("<w:ReconnectToNetwork RetryCount='11'/>", "@RetryCount: must be a whole"),
            ("<w:ServiceActivation/>", "ServiceActivation: CarrierSpecificData is missing"),
            (
                "<w:ServiceActivation><w:CarrierSpecificData>QQ=</w:CarrierSpecificData>\
                 </w:ServiceActivation>",
                "CarrierSpecificData: must be Base64",
            ),
        ],
    );
    let found = rules(&with_global("<Activation><w:ActivationMethod/></Activation>"));
    assert_eq!(found[1], "ActivationMethod: no such element here");
}

/// PROV-028 to PROV-042, PROV-046.
#[test]
fn profiles() {
    let long = |n: usize| "x".repeat(n);
    let element = |name: &str, value: &str| format!("<w:{name}>{value}</w:{name}>");
    framed(
        "<MBNProfiles>[]</MBNProfiles>",
        &[
            "<w:DefaultProfile Priority='9'><w:Name>n</w:Name></w:DefaultProfile>",
            "<w:DefaultProfile><w:Name>n</w:Name><w:Extensions><f:x a='1'><f:y/></f:x>\
             </w:Extensions></w:DefaultProfile>",
            "<w:PurchaseProfile><w:Name>n</w:Name></w:PurchaseProfile>",
        ],
        &[
            ("<w:DefaultProfile/>", "DefaultProfile: Name is missing"),
            ("<w:DefaultProfile><w:Name/></w:DefaultProfile>", "Name: must have 1 to 255 characters"),
            (
                "<w:DefaultProfile Priority='10'><w:Name>n</w:Name></w:DefaultProfile>",
                "@Priority: must be a whole number from 0 to 9",
            ),
            (
                "<w:PurchaseProfile><w:Name>n</w:Name></w:PurchaseProfile>\
                 <w:DefaultProfile><w:Name>n</w:Name></w:DefaultProfile>",
                "DefaultProfile: out of order",
            ),
            (
                "<w:DefaultProfile><w:Name>n</w:Name></w:DefaultProfile>\
                 <w:DefaultProfile><w:Name>n</w:Name></w:DefaultProfile>",
                "DefaultProfile[2]: may occur only once",
            ),
        ],
    );
    framed(
        "<MBNProfiles><w:DefaultProfile><w:Name>n</w:Name>[]</w:DefaultProfile></MBNProfiles>",
        &[
            "<w:Context/>",
            &format!("<w:Context>{}</w:Context>", element("AccessString", &long(100))),
            &element("Description", &format!("\n {}\n", long(255))),
            "<w:DataRoamingPartners><w:Provider><w:ProviderID>1</w:ProviderID>\
             <b:ProviderName>p</b:ProviderName></w:Provider></w:DataRoamingPartners>",
        ],
        &[
            (&element("HomeProviderName", &long(21)), "HomeProviderName: must have 1 to 20"),
            ("<w:Context/><w:HomeProviderName>n</w:HomeProviderName>", "HomeProviderName: out of order"),
            ("<w:DataRoamingPartners/>", "DataRoamingPartners: Provider is missing"),
            (
                "<w:DataRoamingPartners><w:Provider><b:ProviderID>1234567</b:ProviderID>\
                 <b:ProviderName>p</b:ProviderName></w:Provider></w:DataRoamingPartners>",
                "ProviderID: must be 1 to 6 digits",
            ),
            ("<dusm:Cost/>", "Cost: no such element here"),
        ],
    );
    framed(
        "<MBNProfiles><w:DefaultProfile><w:Name>n</w:Name><w:Context>[]</w:Context>\
         </w:DefaultProfile></MBNProfiles>",
        &[
            "<w:UserLogonCred><w:UserName>u</w:UserName></w:UserLogonCred>",
            "<w:Compression>ENABLE</w:Compression><w:AuthProtocol>MsCHAPv2</w:AuthProtocol>",
        ],
        &[
            (&element("AccessString", &long(101)), "AccessString: must have 1 to 100"),
            ("<w:UserLogonCred><w:Password>p</w:Password></w:UserLogonCred>", "UserLogonCred: UserName is missing"),
            (
                &format!(
                    "<w:UserLogonCred><w:UserName>u</w:UserName>{}</w:UserLogonCred>",
                    element("Password", &long(256))
                ),
                "Password: must have 0 to 255",
            ),
            ("<w:Compression>enable</w:Compression>", "Compression: must be one of"),
            ("<w:AuthProtocol>chap</w:AuthProtocol>", "AuthProtocol: must be one of"),
        ],
    );
}

/// A8: allowed, but remarked upon.
#[test]
fn long_profile_name_warns() {
    for (length, warnings) in [(64, 0), (65, 1), (255, 1)] {
        let xml = with_global(&format!(
            "<MBNProfiles><w:DefaultProfile><w:Name>{}</w:Name></w:DefaultProfile></MBNProfiles>",
            "n".repeat(length)
        ));
        let validated = validate(xml.as_bytes()).unwrap();
        assert_eq!(validated.warnings().len(), warnings, "{length}");
    }
}

/// PROV-074, PROV-075, PROV-091, and branding's strict wildcard.
#[test]
fn messages_and_branding() {
    framed(
        "<MBNProfiles><w:Messages>[]</w:Messages></MBNProfiles>",
        &[
            "<w:Message RuleId='a'><w:SMSBearer/><w:SMSBearer/><w:USSDBearer/><w:Pattern/>\
             </w:Message><w:Message><w:USSDBearer/><w:Pattern>x</w:Pattern></w:Message>",
            "<w:Message><w:USSDBearer/><w:Pattern/><w:Fields><w:DataLimit Group='1'/>\
             <w:Usage Group='2' DefaultUnit='Ki'/><w:PlanType/></w:Fields></w:Message>",
        ],
        &[
            ("", "Messages: Message is missing"),
            ("<w:Message><w:Pattern/></w:Message>", "Message: SMSBearer or USSDBearer is missing"),
            ("<w:Message><w:USSDBearer/><w:SMSBearer/><w:Pattern/></w:Message>", "SMSBearer: may not be combined"),
            ("<w:Message><w:USSDBearer/></w:Message>", "Message: Pattern is missing"),
            (
                "<w:Message><w:USSDBearer/><w:Pattern/><w:Fields><w:Usage Group='1'/>\
                 <w:Usage Group='1'/></w:Fields></w:Message>",
                "Usage[2]: may occur only once",
            ),
            (
                "<w:Message><w:USSDBearer/><w:Pattern/><w:Fields><w:Usage/></w:Fields></w:Message>",
                "Usage: attribute Group is missing",
            ),
            (
                "<w:Message RuleId='a'><w:USSDBearer/><w:Pattern/></w:Message>\
                 <w:Message RuleId=' a '><w:USSDBearer/><w:Pattern/></w:Message>",
                "Message[2]: another Message has the same name",
            ),
        ],
    );
    framed(
        "<MBNProfiles><w:Branding>[]</w:Branding></MBNProfiles>",
        &["", "<w:Logo>QQ==</w:Logo><w:Name>n</w:Name>"],
        &[("<w:Name>123456789012345678901</w:Name>", "Name: must have 0 to 20"), ("<f:x/>", "x: no such element here")],
    );
}

/// PROV-116 to PROV-121, PROV-123, PROV-125, PROV-134.
#[test]
fn wlan() {
    let ssid = "<l:SSID><l:name>n</l:name></l:SSID>";
    let profile =
        |inner: &str| format!("<WLANProfiles><l:WLANProfile><l:name>n</l:name>{inner}</l:WLANProfile></WLANProfiles>");
    let config = |inner: &str| profile(&format!("<l:SSIDConfig>{inner}</l:SSIDConfig>"));
    let security = |inner: &str| {
        profile(&format!(
            "<l:SSIDConfig>{ssid}</l:SSIDConfig><l:MSM><l:security><l:authEncryption>\
             <l:authentication>open</l:authentication><l:encryption>none</l:encryption>\
             </l:authEncryption>{inner}</l:security></l:MSM>"
        ))
    };
    let hotspot = |inner: &str| security(&format!("<h:HotspotProfile>{inner}</h:HotspotProfile>"));
    let domains = "<h:TrustedDomains><h:TrustedDomain>.a</h:TrustedDomain></h:TrustedDomains>";
    let basic = "<h:BasicAuth><h:UserName>u</h:UserName><h:Password>p</h:Password></h:BasicAuth>";
    for body in [
        config(&ssid.repeat(25)),
        config(&format!("{ssid}<f:x/><l2:SSIDPrefix><l2:name>abcd</l2:name></l2:SSIDPrefix>")),
        profile("<l:Hotspot2><l:DomainName>a</l:DomainName></l:Hotspot2>"),
        hotspot(&format!("{basic}{domains}<h:UserAgent>a</h:UserAgent>")),
        hotspot("<h:ExtAuth><h:ExtensionId>a</h:ExtensionId></h:ExtAuth>"),
        security("<f:ignored><f:x y='z'/></f:ignored>"),
    ] {
        good(&[&body]);
    }
    for (body, want) in [
        (profile(""), "WLANProfile: SSIDConfig or Hotspot2 is missing"),
        (config(&ssid.repeat(26)), "SSID[26]: may occur at most 25 times"),
        (config("<l2:SSID><l2:name>n</l2:name></l2:SSID>"), "SSIDConfig: SSID is missing"),
        (config("<l:SSID><l:hex>00</l:hex><l:name>n</l:name></l:SSID>"), "name: may not be combined"),
        (config("<l:SSID><l:hex>0</l:hex></l:SSID>"), "hex: must be 1 to 32 octets"),
        (config(&format!("{ssid}<l2:SSIDPrefix><l2:hex>000000</l2:hex></l2:SSIDPrefix>")), "hex: must be 4 to 32"),
        (security("<l:PMKCacheTTL>4</l:PMKCacheTTL>"), "PMKCacheTTL: must be a whole"),
        (security("<l:keyIndex>4</l:keyIndex>"), "keyIndex: must be a whole number from 0 to 3"),
        (hotspot(basic), "HotspotProfile: TrustedDomains is missing"),
        (hotspot(domains), "TrustedDomains: may not be combined"),
        (security("<o:OneX/>"), "OneX: EAPConfig is missing"),
        (security("<d:Signature/>"), "Signature: a signature may only stand at the end of the root"),
    ] {
        let found = rules(&with_global(&body));
        assert!(found.iter().any(|rule| rule.starts_with(want)), "{body}: {found:?}");
    }
    let twice = profile(&format!("<l:SSIDConfig>{ssid}</l:SSIDConfig>"));
    let twice = twice.replace("</WLANProfiles>", twice.strip_prefix("<WLANProfiles>").unwrap());
    bad(&[(&twice, "WLANProfile[2]: another WLANProfile has the same name")]);
}

/// PROV-136 to PROV-142.
#[test]
fn plans() {
    let usage = "<p:Usage CurrentUsage='1' UsageTimestamp='2026-03-07T14:05:00Z'/>";
    framed(
        "<Plans>[]</Plans>",
        &[
            &format!("<p:Plan Name=''>{usage}</p:Plan>"),
            &format!("<p:Plan Name='a'><p:Description PlanType='Fixed'/>{usage}</p:Plan>"),
        ],
        &[
            ("<p:Plan Name='a'/>", "Plan: Description or Usage is missing"),
            (&format!("<p:Plan>{usage}</p:Plan>"), "Plan: attribute Name is missing"),
            ("<p:Plan Name='a'><p:Usage CurrentUsage='1'/></p:Plan>", "Usage: attribute UsageTimestamp is missing"),
            ("<p:Plan Name='a'><p:Description PlanType='fixed'/></p:Plan>", "@PlanType: must be one of"),
            (
                "<p:Plan Name='a'><p:Description PlanType='Fixed'><p:DataLimitInMegabytes>0\
                 </p:DataLimitInMegabytes></p:Description></p:Plan>",
                "DataLimitInMegabytes: must be a whole number from 1",
            ),
            (
                "<p:Plan Name='a'><p:Description PlanType='Fixed'><p:DataLimitInMegabytes>4294967296\
                 </p:DataLimitInMegabytes></p:Description></p:Plan>",
                "DataLimitInMegabytes: must be a whole number from 1",
            ),
            (
                "<p:Plan Name='a'><p:Description PlanType='Fixed'><p:BillingCycle \
                 StartDate='2026-03-01' Duration='P1M'/></p:Description></p:Plan>",
                "@StartDate: must be a date and time",
            ),
            (
                &format!("<p:Plan Name='a'>{usage}</p:Plan><p:Plan Name='a'>{usage}</p:Plan>"),
                "Plan[2]: another Plan has the same name",
            ),
        ],
    );
}

/// PROV-160 to PROV-163, PROV-189 to PROV-197.
#[test]
fn provisioning_and_extensions() {
    framed(
        "<Provisioning>[]</Provisioning>",
        &[
            "<TrustedCertificates><TrustedCertificate><SubjectName>s</SubjectName>\
             <b:IssuerName>i</b:IssuerName></TrustedCertificate></TrustedCertificates>",
            "<RefreshParameters><RefreshURL>https://a</RefreshURL></RefreshParameters>",
        ],
        &[
            ("<TrustedCertificates/>", "TrustedCertificates: TrustedCertificate is missing"),
            ("<RefreshParameters/>", "RefreshParameters: RefreshURL is missing"),
            (
                "<RefreshParameters><RefreshURL>https://a</RefreshURL><username>u</username>\
                 </RefreshParameters>",
                "username: no such element here",
            ),
        ],
    );
    framed(
        "<Extensions><v2:Extensions_v2>[]</v2:Extensions_v2></Extensions>",
        &[
            "",
            "<v2:CarrierNetworkMetadata><v2:DataClassFriendlyNames><v2:GPRS>g</v2:GPRS>\
             <v2:LTE>l</v2:LTE></v2:DataClassFriendlyNames></v2:CarrierNetworkMetadata>",
            "<v2:AdditionalPDPContexts><v2:MultiplePDPContextPolicies \
             MultiplePDPContextSupport='false'/></v2:AdditionalPDPContexts>",
            // Programs are as many as one likes.
            &format!(
                "<v2:AdditionalPDPContexts><v2:MultiplePDPContextPolicies><v2:PDPContextPolicy><v2:Name>n</v2:Name>\
                 <v2:Context/><v2:AppIDList>{}</v2:AppIDList></v2:PDPContextPolicy></v2:MultiplePDPContextPolicies>\
                 </v2:AdditionalPDPContexts>",
                "<v2:AppID>a</v2:AppID>".repeat(300)
            ),
        ],
        &[
            (
                "<v2:CarrierNetworkMetadata><v2:NetworkSettings><v2:IPv4LinkMTU>1279\
                 </v2:IPv4LinkMTU></v2:NetworkSettings></v2:CarrierNetworkMetadata>",
                "IPv4LinkMTU: must be a whole number from 1280 to 1500",
            ),
            (
                "<v2:CarrierNetworkMetadata><v2:NetworkSettings><v2:DNSRetrySettings>\
                 <v2:DNSRetryCount>1</v2:DNSRetryCount></v2:DNSRetrySettings>\
                 </v2:NetworkSettings></v2:CarrierNetworkMetadata>",
                "DNSRetrySettings: DNSRetryIntervalInSeconds is missing",
            ),
            (
                "<v2:CarrierNetworkMetadata><v2:DataClassFriendlyNames><v2:LTE>l</v2:LTE>\
                 <v2:GPRS>g</v2:GPRS></v2:DataClassFriendlyNames></v2:CarrierNetworkMetadata>",
                "GPRS: out of order",
            ),
            (
                "<v2:AdditionalPDPContexts><v2:MultiplePDPContextPolicies><v2:PDPContextPolicy>\
                 <v2:Name>n</v2:Name><v2:Context/></v2:PDPContextPolicy>\
                 </v2:MultiplePDPContextPolicies></v2:AdditionalPDPContexts>",
                "PDPContextPolicy: AppIDList is missing",
            ),
            (
                "<v2:AdditionalPDPContexts><v2:TetheringSettings><v2:TetheringProfile>\
                 <v2:Name>n</v2:Name><w:Context/></v2:TetheringProfile></v2:TetheringSettings>\
                 </v2:AdditionalPDPContexts>",
                "Context: wrong namespace",
            ),
        ],
    );
    bad(&[
        ("<Extensions><v2:Extensions_v2/><v2:Extensions_v2/></Extensions>", "Extensions_v2[2]: may occur only once"),
        ("<Extensions><f:x/></Extensions>", "x: no such element here"),
        ("<Extensions><d:Signature/></Extensions>", "Signature: no such element here"),
    ]);
}

/// PROV-171, PROV-186: the shape of a signature.
#[test]
fn signature() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/documents/signed/15-signed-ev.xml");
    let signed = std::fs::read_to_string(file).unwrap();
    let start = signed.find("<Signature ").unwrap();
    let end = signed.find("</Signature>").unwrap() + "</Signature>".len();
    let signature = &signed[start..end];
    let change = |from: &str, to: &str| {
        assert!(signed.contains(from), "{from}");
        rules(&signed.replacen(from, to, 1))
    };
    assert_eq!(rules(&signed), [""; 0]);
    for (from, to, want) in [
        ("URI=\"\"", "URI=\"#a\"", "@URI: must be "),
        (
            "2000/09/xmldsig#enveloped-signature",
            "2000/09/xmldsig#base64",
            "@Algorithm: must be http://www.w3.org/2000/09/xmldsig#enveloped-signature",
        ),
        ("</SignedInfo>", "<Reference/></SignedInfo>", "Reference[2]: may occur only once"),
        ("</Signature>", "<Object/></Signature>", "Object: no such element here"),
        ("<X509Data>", "<X509Data><X509CRL/>", "X509CRL: no such element here"),
        ("<KeyInfo>", "<KeyInfo><KeyName/>", "KeyName: no such element here"),
        ("<KeyInfo>", "<KeyInfo><X509Data/>", "X509Data[1]: X509Certificate is missing"),
        ("</Signature>", &format!("</Signature>{signature}"), "Signature[2]: may occur only once"),
        ("</Global>", &format!("{signature}</Global>"), "Signature: no such element here"),
        ("<MBNProfiles>", &format!("{signature}<MBNProfiles>"), "MBNProfiles: out of order"),
    ] {
        let found = change(from, to);
        assert!(found.iter().any(|rule| rule.starts_with(want)), "{to}: {found:?}");
    }
}

/// No rule repeats what the document says: it may be a secret.
#[test]
fn violations_hold_no_values() {
    let secret = "hunter2".repeat(40);
    let xml = with_global(&format!(
        "<MBNProfiles><w:DefaultProfile Priority='{secret}'><w:Name>{secret}</w:Name><w:Context>\
         <w:UserLogonCred><w:UserName>{secret}</w:UserName><w:Password>{secret}</w:Password>\
         </w:UserLogonCred></w:Context></w:DefaultProfile></MBNProfiles>"
    ));
    let invalid = validate(xml.as_bytes()).unwrap_err();
    assert_eq!(invalid.violations().len(), 4);
    assert!(!format!("{invalid:?} {invalid}").contains("hunter2"));
}

/// What xmllint found in the walker: an element without a namespace is foreign to none, and the
/// credentials that may stand there as often as one likes may stand there twice.
#[test]
fn lax_places() {
    let frame = "<WLANProfiles><l:WLANProfile><l:name>n</l:name><l:SSIDConfig><l:SSID><l:name>n</l:name></l:SSID>\
        </l:SSIDConfig><l:MSM><l:security><l:authEncryption><l:authentication>open</l:authentication>\
        <l:encryption>none</l:encryption></l:authEncryption>[]</l:security></l:MSM></l:WLANProfile></WLANProfiles>";
    let credentials =
        "<u:EapHostUserCredentials xmlns:u='http://www.microsoft.com/provisioning/EapHostUserCredentials'/>";
    framed(
        frame,
        &["<f:x/>", &credentials.repeat(3)],
        &[("<x xmlns=''/>", "x: no such element here"), ("<l:x/>", "x: no such element here")],
    );
}

/// The 802.1X block with all that its schema has, and a method's configuration as octets.
#[test]
fn one_x() {
    let frame = "<WLANProfiles><l:WLANProfile><l:name>n</l:name><l:SSIDConfig><l:SSID><l:name>n</l:name></l:SSID>\
        </l:SSIDConfig><l:MSM><l:security><l:authEncryption><l:authentication>WPA2</l:authentication>\
        <l:encryption>AES</l:encryption><l:useOneX>1</l:useOneX></l:authEncryption><o:OneX>[]</o:OneX></l:security>\
        </l:MSM></l:WLANProfile></WLANProfiles>";
    let method = "<e:EapMethod><e:Type>18</e:Type></e:EapMethod>";
    let config = |rest: &str| format!("<o:EAPConfig><e:EapHostConfig>{method}{rest}</e:EapHostConfig></o:EAPConfig>");
    let all = format!(
        "<o:cacheUserData>true</o:cacheUserData><o:heldPeriod>1</o:heldPeriod><o:authPeriod>3600</o:authPeriod>\
         <o:startPeriod>5</o:startPeriod><o:maxStart>3</o:maxStart><o:maxAuthFailures>1</o:maxAuthFailures>\
         <o:supplicantMode>compliant</o:supplicantMode><o:authMode>user</o:authMode><o:singleSignOn><o:type>preLogon\
         </o:type></o:singleSignOn>{}",
        config("<e:ConfigBlob>0a0B</e:ConfigBlob>")
    );
    framed(
        frame,
        &[&config(""), &config("<e:Config><x/></e:Config>"), &all],
        &[
            ("", "OneX: EAPConfig is missing"),
            (&config("<e:Config/><e:ConfigBlob/>"), "ConfigBlob: "),
            (&config("<e:ConfigBlob>0</e:ConfigBlob>"), "ConfigBlob: must be hexadecimal"),
            (&format!("<o:heldPeriod>0</o:heldPeriod>{}", config("")), "heldPeriod: must be a whole number from 1"),
        ],
    );
}
