//! What the published text on account provisioning prints, and what it must yield.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

use daemon_provisioning::{
    Action, Code, Document, Facts, Method, ModemFacts, Outcome, Personal, Run, Secret, Shape, SimState, Source, Step,
    StepAction, Stored, Time, Todo, Violation, plan, validate,
};

const GLOBAL: &str = "<Global>
    <CarrierId>{00000000-1111-2222-3333-444444444444}</CarrierId>
    <SubscriberId>1234567890</SubscriberId>
  </Global>";

fn document(body: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?>\n<CarrierProvisioning \
         xmlns=\"http://www.microsoft.com/networking/CarrierControl/v1\">\n  {body}\n\
         </CarrierProvisioning>"
    )
}

/// A machine with that subscriber.
fn facts() -> Facts {
    Facts {
        modems: vec![ModemFacts {
            sim: SimState::Ready,
            imsi: Some(Personal::new("1234567890".to_owned())),
            ..ModemFacts::default()
        }],
        ..Facts::default()
    }
}

fn authorised(body: &str) -> Document {
    let source = Source::App { carrier_id: Some("00000000-1111-2222-3333-444444444444".to_owned()) };
    let xml = document(&format!("{GLOBAL}\n{body}"));
    let validated = validate(xml.as_bytes()).unwrap_or_else(|invalid| panic!("{invalid}"));
    Document::authorise(validated, &source, &facts()).unwrap()
}

/// The steps on that machine.
fn steps(body: &str) -> Vec<Step> {
    plan(&authorised(body), &facts()).steps().to_vec()
}

/// Applied with every step succeeding: what stands between the subscriber and the end of the
/// results, or the code of the root, and what is kept.
fn yields(body: &str) -> (String, Stored) {
    let mut stored = Stored::default();
    let mut run = Run::new(plan(&authorised(body), &facts()), Time::ZERO);
    while !run.results_ready() {
        let Todo::Do(id, action) = run.next(Time::ZERO) else { panic!("nothing to do") };
        if let StepAction::Keep { change } = action {
            stored.apply(&change);
        }
        run.done(&id, Outcome::Changed, Time::ZERO);
    }
    let xml = run.results(Shape::V2).unwrap();
    let (head, tail) = xml.split_once("</Subscriber>").unwrap();
    let sections = tail.strip_suffix("</CarrierProvisioningResult>").unwrap().trim().to_owned();
    let all_well = head.contains("errorCode=\"00000000\"");
    (if all_well { "00000000".to_owned() } else { sections }, stored)
}

fn wlan(security: &str) -> String {
    format!(
        "<WLANProfiles>
           <WLANProfile xmlns=\"http://www.microsoft.com/networking/CarrierControl/WLAN/v1\">
             <name>Contoso Wi-Fi</name>
             <SSIDConfig><SSID><name>Contoso Wi-Fi</name></SSID></SSIDConfig>
             <MSM><security>{security}</security></MSM>
           </WLANProfile>
         </WLANProfiles>"
    )
}

const OPEN: &str = "<authEncryption><authentication>open</authentication>\
    <encryption>none</encryption><useOneX>false</useOneX></authEncryption>";

fn hotspot(inner: &str) -> String {
    wlan(&format!(
        "{OPEN}<HotspotProfile \
         xmlns=\"http://www.microsoft.com/networking/WLAN/HotspotProfile/v1\">{inner}\
         <TrustedDomains><TrustedDomain>www.contosoportal.com</TrustedDomain></TrustedDomains>\
         </HotspotProfile>"
    ))
}

/// Valid, with so many warnings.
fn warnings(body: &str) -> Vec<String> {
    let xml = document(&format!("{GLOBAL}\n{body}"));
    let validated = validate(xml.as_bytes()).unwrap_or_else(|invalid| panic!("{invalid}"));
    let text = |warning: &Violation| warning.rule.clone();
    validated.warnings().iter().map(text).collect()
}

/// "Provision the device to connect automatically to a mobile broadband network".
#[test]
fn default_profile() {
    let steps = steps(
        "<MBNProfiles>
      <DefaultProfile xmlns=\"http://www.microsoft.com/networking/CarrierControl/WWAN/v1\">
          <Name>Profile Name</Name>
          <Description>The Description</Description>
          <HomeProviderName>Contoso</HomeProviderName>
          <Context>
              <AccessString>apn</AccessString>
              <UserLogonCred>
                  <UserName>username</UserName>
                  <Password>password</Password>
              </UserLogonCred>
          </Context>
      </DefaultProfile>
    </MBNProfiles>",
    );
    let Action::StoreProfile { profile, .. } = &steps[0].action else {
        panic!("{steps:?}");
    };
    assert_eq!(profile.name, "Profile Name");
    assert_eq!(profile.description.as_deref(), Some("The Description"));
    assert_eq!(profile.home_provider_name.as_deref(), Some("Contoso"));
    assert_eq!(profile.apn.as_deref(), Some("apn"));
    assert_eq!(profile.username.as_deref(), Some("username"));
    assert_eq!(profile.password, Some(Secret::new("password".to_owned())));
    assert_eq!(profile.priority, 5);
}

/// "MBNProfiles": the fragment, in a document.
#[test]
fn profile_fragment() {
    let body = "<MBNProfiles>
        <DefaultProfile xmlns=\"http://www.microsoft.com/networking/CarrierControl/WWAN/v1\">
          <Name>Contoso MBN</Name>
          <Description>Contoso Mobile Broadband</Description>
          <HomeProviderName>Contoso MBN</HomeProviderName>
          <Context>
            <AccessString>contoso.com</AccessString>
            <UserLogonCred>
              <UserName>mbuser</UserName>
              <Password>mbpass</Password>
            </UserLogonCred>
          </Context>
        </DefaultProfile>
      </MBNProfiles>";
    let Action::StoreProfile { profile, .. } = &steps(body)[0].action else { panic!("no profile") };
    assert_eq!((profile.name.as_str(), profile.apn.as_deref()), ("Contoso MBN", Some("contoso.com")));
    assert_eq!(profile.password, Some(Secret::new("mbpass".to_owned())));
    assert_eq!(yields(body).0, "00000000");
}

/// "Provision the device to connect automatically to a Wi-Fi network": accepted and kept, with
/// the warning that nothing sets it up yet.
#[test]
fn wlan_document() {
    let body = wlan(OPEN).replace("Contoso Wi-Fi</name>\n", "My Wi-Fi Hotspot</name>\n").replacen(
        "<name>Contoso Wi-Fi</name></SSID>",
        "<name>wifihotspot1</name></SSID>",
        1,
    );
    let (results, stored) = yields(&body);
    assert_eq!(results, "<WLANProfiles errorCode=\"22170102\"/>");
    assert_eq!(stored.wlan()[0].name(), "My Wi-Fi Hotspot");
    assert!(stored.wlan()[0].xml().reveal().contains("wifihotspot1"));
}

/// "Sending activation to the mobile broadband device".
#[test]
fn service_activation() {
    let steps = steps(
        "<Activation>
    <ServiceActivation xmlns=\"http://www.microsoft.com/networking/CarrierControl/WWAN/v1\">
      <CarrierSpecificData>YXJiaXRyYXJ5ZGF0YQ==</CarrierSpecificData>
    </ServiceActivation>
  </Activation>",
    );
    let Action::Activate(activation) = &steps[0].action else {
        panic!("{steps:?}");
    };
    let data = Secret::new(b"arbitrarydata".to_vec());
    assert_eq!(activation.method, Method::ServiceActivation { data });
    assert_eq!((activation.delay.as_secs(), activation.retry_count), (0, 0));
}

/// "Force the mobile broadband device to reconnect": 30 seconds, then every minute up to 3 times.
#[test]
fn reregister() {
    let steps = steps(
        "<Activation>
      <!-- Cycle the radio -->
      <ReregisterToNetwork
          xmlns=\"http://www.microsoft.com/networking/CarrierControl/WWAN/v1\"
          Delay=\"PT30S\"
          RetryCount=\"3\"
          RetryInterval=\"PT1M\"
          />
  </Activation>",
    );
    let Action::Activate(activation) = &steps[0].action else {
        panic!("{steps:?}");
    };
    assert_eq!(activation.method, Method::Reregister);
    assert_eq!(activation.delay.as_secs(), 30);
    assert_eq!(activation.retry_count, 3);
    assert_eq!(activation.retry_interval.as_secs(), 60);
}

/// The Wi-Fi fragments, each in a document; the two that depart from the schema warn.
#[test]
fn wlan_fragments() {
    let eap = wlan(
        "<authEncryption><authentication>WPA2</authentication><encryption>AES</encryption>\
         <useOneX>true</useOneX></authEncryption>
         <OneX xmlns=\"http://www.microsoft.com/networking/OneX/v1\"><EAcomputeronfig><!-- c -->
         <EapHostConfig xmlns=\"http://www.microsoft.com/provisioning/EapHostConfig\"><EapMethod>
         <Type>18</Type><VendorId>0</VendorId><VendorType>0</VendorType><AuthorId>311</AuthorId>
         </EapMethod><Config xmlns=\"http://www.microsoft.com/provisioning/EapHostConfig\">
         <EapSim xmlns=\"http://www.microsoft.com/provisioning/EapSimConnectionPropertiesV1\">
         <Realm Enabled=\"true\"></Realm></EapSim></Config></EapHostConfig></EAcomputeronfig></OneX>",
    );
    let direct = hotspot("<UserName>WisprUser1</UserName><Password>password1</Password>");
    let basic = hotspot("<BasicAuth><UserName>Alice</UserName><Password>secret</Password></BasicAuth>");
    let ext = hotspot("<ExtAuth><ExtensionId>YourAppIdGoesHere</ExtensionId></ExtAuth>");
    for body in [wlan(OPEN), basic, ext] {
        assert_eq!(warnings(&body), [""; 0], "{body}");
    }
    assert_eq!(warnings(&eap), ["outside the schema, taken for EAPConfig"]);
    for body in [&eap, &direct] {
        assert_eq!(yields(body).0, "<WLANProfiles errorCode=\"22170103\"/>", "{body}");
    }
    for body in [wlan(OPEN), hotspot("<ExtAuth><ExtensionId>YourAppIdGoesHere</ExtensionId></ExtAuth>")] {
        assert_eq!(yields(&body).0, "<WLANProfiles errorCode=\"22170102\"/>", "{body}");
    }
    assert_eq!(warnings(&direct), ["outside the schema, accepted as the published text has it"]);
}

/// The refresh fragment with its `Username`.
#[test]
fn refresh_fragment() {
    let body = "<Provisioning><RefreshParameters>
      <DelayInDays>30</DelayInDays>
      <RefreshURL>https://www.contoso.com/refresh</RefreshURL>
      <Username>foo</Username>
      <Password>bar</Password>
    </RefreshParameters></Provisioning>";
    assert_eq!(warnings(body), ["outside the schema, taken for UserName"]);
    let (results, stored) = yields(body);
    assert_eq!(results, "<Provisioning errorCode=\"22170103\"/>");
    let refresh = stored.refresh().unwrap();
    assert_eq!(refresh.username, Some(Secret::new("foo".to_owned())));
    assert_eq!(refresh.url.reveal(), "https://www.contoso.com/refresh");
}

/// The two whole hotspot documents are printed without `Global`, which every document needs.
#[test]
fn documents_printed_without_global() {
    let basic = "<BasicAuth><UserName>Alice</UserName><Password>secret</Password></BasicAuth>";
    let ext = "<ExtAuth><ExtensionId>Alice</ExtensionId></ExtAuth>";
    for inner in [basic, ext] {
        let invalid = validate(document(&hotspot(inner)).as_bytes()).unwrap_err();
        assert_eq!(invalid.code(), Code::XML_INVALID);
        let lines: Vec<_> = invalid.violations().iter().map(ToString::to_string).collect();
        assert_eq!(lines, ["2:1: /CarrierProvisioning: Global is missing"]);
    }
}
