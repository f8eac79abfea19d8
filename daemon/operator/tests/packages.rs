//! Service metadata packages: for which SIMs, what they bring, what falls through, and wrong ones. `[PROV 14.1, 14.2]`

#![allow(clippy::expect_used, clippy::panic, reason = "a panic of a test is its report")]

use daemon_operator::database::FileProblem;
use daemon_operator::layers::Layer;
use daemon_operator::{Auth, Choice, Identity, Layers, Match, Package, Reported, SourceFile, Sources, Wishes};

/// Of the worked examples: the network 001-01, and a block of IMSIs in it.
const NETWORK: &str = "DOID:MBOP:1:P00:VFONWKK5SX2HEHOEZ276VRNQ";
const BLOCK: &str = "MBOP:1:I13:OS3HHIN7UL6UTNYGAJMF2IHR";
const NAME: &str = "MBOP:1:N00:2ER5CHVSGDC3KDTK5WDNT3WZ";

fn package_info(ids: &[&str]) -> String {
    let ids: String = ids.iter().map(|id| format!("<HardwareID>{id}</HardwareID>")).collect();
    format!(
        "<PackageInfo xmlns='http://schemas.microsoft.com/windows/DeviceMetadata/PackageInfo/2007/11/'><MetadataKey>\
         <HardwareIDList>{ids}</HardwareIDList></MetadataKey></PackageInfo>"
    )
}

fn service_info(provider: &str) -> String {
    format!(
        "<ServiceInfo xmlns='http://schemas.microsoft.com/windows/2010/05/DeviceMetadata/ServiceInfo'>\
         <ServiceNumber>12345678-1234-1234-1234-123456789abc</ServiceNumber><ServiceProvider>{provider}</ServiceProvider>\
         <ServiceSpecificExtension>MobileBroadbandInfo.xml</ServiceSpecificExtension></ServiceInfo>"
    )
}

/// `<ProvisioningEngine>` with certificates by subject; the issuer is always the same.
fn engine(subjects: &[&str]) -> String {
    let named = |subject: &&str| {
        format!(
            "<TrustedCertificate><SubjectName>{subject}</SubjectName><IssuerName>CN=Root</IssuerName></TrustedCertificate>"
        )
    };
    let list: String = subjects.iter().map(named).collect();
    format!("<ProvisioningEngine><TrustedCertificates>{list}</TrustedCertificates></ProvisioningEngine>")
}

fn broadband(internet: &str, purchase: &str) -> String {
    let profile =
        |name: &str, file: &str| if file.is_empty() { String::new() } else { format!("<{name}>{file}</{name}>") };
    format!(
        "<MobileBroadbandInfo xmlns='http://schemas.microsoft.com/windows/2010/12/DeviceMetadata/MobileBroadbandInfo'>\
         <NetworkConfiguration><MobileBroadbandProfiles>{}{}</MobileBroadbandProfiles></NetworkConfiguration></MobileBroadbandInfo>",
        profile("Purchase", purchase),
        profile("Internet", internet)
    )
}

fn profile(apn: &str) -> String {
    format!(
        "<MBNProfile xmlns='http://www.microsoft.com/networking/WWAN/profile/v1'><Name>x</Name><Context><AccessString>{apn}</AccessString>\
         <UserLogonCred><UserName>web</UserName><Password> s</Password></UserLogonCred><AuthProtocol>CHAP</AuthProtocol></Context></MBNProfile>"
    )
}

/// A whole package with the given hardware ids.
fn whole(provider: &str, ids: &[&str], internet: &str, purchase: &str) -> Vec<(&'static str, String)> {
    let file = |apn: &str, name: &'static str| if apn.is_empty() { "" } else { name };
    vec![
        ("PackageInfo.xml", package_info(ids)),
        ("ServiceInformation/ServiceInfo.xml", service_info(provider)),
        (
            "ServiceInformation/MobileBroadbandInfo.xml",
            broadband(file(internet, "internet.xml"), file(purchase, "buy profile.xml")),
        ),
        ("ServiceInformation/internet.xml", profile(internet)),
        ("ServiceInformation/buy profile.xml", profile(purchase)),
    ]
}

const OVERLAY: &str = r#"<serviceproviders format="2.0" xmlns:ov="urn:x-operator-overlay:1"><country code="xt"><provider><name>Host</name>
<ov:account-url>https://host.example/</ov:account-url><gsm><network-id mcc="001" mnc="01"/>
<apn value="host"><usage type="internet"/></apn><apn value="host.buy"><ov:purpose type="purchase"/></apn>
</gsm></provider></country></serviceproviders>"#;

fn load(packages: &[(&str, Vec<(&'static str, String)>)], overlay: &str) -> (Layers, Vec<FileProblem>) {
    let files: Vec<Vec<SourceFile<'_>>> = packages
        .iter()
        .map(|(_, files)| files.iter().map(|(name, text)| SourceFile { name, bytes: text.as_bytes() }).collect())
        .collect();
    let packages: Vec<Package<'_>> =
        packages.iter().zip(&files).map(|((name, _), files)| Package { name, files }).collect();
    let overlay = [SourceFile { name: "o.xml", bytes: overlay.as_bytes() }];
    let overlay = if overlay[0].bytes.is_empty() { &[][..] } else { &overlay[..] };
    Layers::read(&Sources { packages: &packages, overlay, ..Sources::default() })
}

fn choose(layers: &Layers, imsi: &str) -> Choice {
    let reported = Reported {
        subscriber_id: imsi,
        provider_id: "00101",
        provider_name: "Contoso Wireless",
        mnc_length: Some(2),
        ..Reported::default()
    };
    layers.choose(&Identity::normalise(&reported).0, &Wishes::default())
}

fn apns<'a>(candidates: impl IntoIterator<Item = &'a daemon_operator::Candidate>) -> Vec<&'a str> {
    candidates.into_iter().map(|candidate| candidate.apn.as_str()).collect()
}

#[test]
fn a_package_stands_above_overlays_and_leaves_the_rest_to_them() {
    let (layers, problems) = load(&[("one", whole("Contoso", &[NETWORK], "pkg", ""))], OVERLAY);
    assert_eq!((problems, layers.packages()), (vec![], 1));
    let choice = choose(&layers, "001019912345678");
    let operator = choice.operator.clone().expect("an operator");
    assert_eq!(
        (operator.name.as_str(), operator.layer, choice.verdict),
        ("Contoso", Layer::ServiceMetadata, Match::Exact)
    );
    assert_eq!(apns(choice.listed()), ["pkg", "host"]);
    let first = &choice.candidates[0];
    assert_eq!((first.user.as_str(), first.password.reveal(), first.auth), ("web", " s", Some(Auth::Chap)));
    assert_eq!(first.criterion.to_string(), "service-metadata");
    // It names no site and no way to buy a plan: those of the record behind it count.
    assert_eq!(operator.account_url.as_deref(), Some("https://host.example/"));
    assert_eq!(apns(choice.purchase()), ["host.buy"]);

    let (layers, _) = load(&[("one", whole("Contoso", &[NETWORK], "pkg", "pkg.buy"))], OVERLAY);
    assert_eq!(apns(choose(&layers, "001019912345678").purchase()), ["pkg.buy", "host.buy"]);
    let (layers, _) = load(&[("one", whole("Contoso", &[NETWORK], "", ""))], "");
    let alone = choose(&layers, "001019912345678");
    assert_eq!((apns(alone.listed()), alone.candidates.len()), (vec![], 1), "the network's default is left");
}

/// The device set decides: a name before a block of cards, that before the network; foreign ids match nothing.
#[test]
fn the_first_hardware_id_of_the_device_wins() {
    let packages = [
        ("network", whole("Network", &[NETWORK], "network", "")),
        ("foreign", whole("Foreign", &["DOID:MBAE:0:L9@E}}DT2.*F65MQA57Y+L"], "foreign", "")),
        ("block", whole("Block", &[BLOCK], "block", "")),
    ];
    let (layers, problems) = load(&packages, "");
    assert_eq!((problems, layers.packages()), (vec![], 3));
    assert_eq!(apns(choose(&layers, "001015512345678").listed()), ["block", "network"]);
    assert_eq!(apns(choose(&layers, "001019912345678").listed()), ["network"]);
    let named = [&packages[..], &[("name", whole("Name", &[NAME, "x"], "name", ""))]].concat();
    let choice = choose(&load(&named, "").0, "001015512345678");
    assert_eq!(apns(choice.listed()), ["name", "block", "network"]);
    let held: Vec<String> = choice.selectors().iter().map(ToString::to_string).collect();
    assert_eq!(held, [format!("hwid {NAME}")]);
    let twice = [("a", whole("A", &[NETWORK], "a", "")), ("b", whole("B", &[NETWORK], "b", ""))];
    assert_eq!(choose(&load(&twice, "").0, "001019912345678").verdict, Match::Ambiguous);
}

#[test]
fn wrong_packages_are_told_and_do_no_harm() {
    let why = |files: Vec<(&'static str, String)>| {
        let (layers, problems) = load(&[("p", files)], OVERLAY);
        assert_eq!(apns(choose(&layers, "001019912345678").listed())[..1], ["host"], "lower layers work");
        problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    };
    let with = |place: usize, text: &str| {
        let mut files = whole("Contoso", &[NETWORK], "pkg", "");
        files[place].1 = text.to_owned();
        files.truncate(3);
        files
    };
    assert_eq!(why(vec![]), "p/PackageInfo.xml:1:1: the file is missing");
    assert!(why(with(0, "<Other/>")).starts_with("p/PackageInfo.xml:1:1: the root element is not"));
    assert_eq!(
        why(with(1, "<ServiceInfo>\n  <x")),
        "p/ServiceInformation/ServiceInfo.xml:2:3: not well-formed: syntax error: tag not closed: `>` not found before end of input"
    );
    assert_eq!(
        why(with(0, "<!DOCTYPE x [<!ENTITY a 'b'>]><PackageInfo>&a;</PackageInfo>")),
        "p/PackageInfo.xml:1:44: entities are not expanded"
    );
    assert_eq!(
        why(with(2, &broadband("internet.xml", ""))),
        "p/ServiceInformation/internet.xml:1:1: the file is missing"
    );
    // A bare name, never a way out of the folder.
    for name in ["../../etc/passwd", "..", "/x", "a\\b", "x\u{0}y"] {
        let told = why(with(2, &broadband(name, "")));
        assert!(told.contains("unusable value of file name") || told.contains("not well-formed"), "{name}: {told}");
    }
    let mut files = whole("Contoso", &[NETWORK], "pkg", "");
    files[3].1 = profile("not an apn");
    let (layers, problems) = load(&[("p", files)], OVERLAY);
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!(apns(choose(&layers, "001019912345678").listed()), ["host"]);
}

const SIGNED: &str = r#"<serviceproviders format="2.0" xmlns:ov="urn:x-operator-overlay:1"><country code="xt"><provider><name>Host</name>
<ov:service-number>{7d3c1f52-0b5e-4c7a-9a41-5e2f6b8c9d10}</ov:service-number>
<ov:trusted-certificate subject="CN=Overlay" issuer="CN=Root"/><ov:trusted-certificate subject="CN=No issuer"/>
<gsm><network-id mcc="001" mnc="01"/></gsm></provider><provider><name>Bad</name><ov:service-number>7d3c</ov:service-number>
<gsm><network-id mcc="001" mnc="02"/></gsm></provider></country></serviceproviders>"#;

/// PROV-221, and the same of an overlay: whose documents a SIM's operator signs, and with what. What a package leaves open comes
/// from the record behind it; the distribution's database names nobody.
#[test]
fn records_name_who_signs_documents() {
    fn told(choice: &Choice) -> (Option<&str>, Vec<&str>) {
        let operator = choice.operator.as_ref().expect("an operator");
        let named = operator.certificates.iter().map(|named| named.subject.as_str());
        (operator.service_number.as_deref(), named.collect())
    }
    let with_engine = |subjects: &[&str]| {
        let mut files = whole("Contoso", &[NETWORK], "pkg", "");
        files[2].1 =
            files[2].1.replace("</MobileBroadbandInfo>", &format!("{}</MobileBroadbandInfo>", engine(subjects)));
        files
    };
    const NUMBER: &str = "12345678-1234-1234-1234-123456789abc";
    let number = Some(NUMBER);
    let (layers, problems) = load(&[("one", with_engine(&["CN=A", "CN=B"]))], SIGNED);
    let told_of: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(told_of.len(), 2, "{told_of:#?}");
    assert!(told_of[0].contains("trusted-certificate") && told_of[1].contains("service-number"), "{told_of:#?}");
    assert_eq!(told(&choose(&layers, "001019912345678")), (number, vec!["CN=A", "CN=B"]));
    // Kept while the package cannot be read, and said again as a file would.
    let said = layers.records_of_file("one").expect("the package");
    assert_eq!((said[0].service_number.as_str(), said[0].certificates.len()), (NUMBER, 2));

    let (layers, _) = load(&[("one", with_engine(&[]))], SIGNED);
    assert_eq!(told(&choose(&layers, "001019912345678")), (number, vec!["CN=Overlay"]));
    let (layers, _) = load(&[], SIGNED);
    let overlay = Some("{7d3c1f52-0b5e-4c7a-9a41-5e2f6b8c9d10}");
    assert_eq!(told(&choose(&layers, "001019912345678")), (overlay, vec!["CN=Overlay"]));
    assert_eq!(told(&choose(&layers, "001029912345678")), (None, vec![]));
    let vendor = [SourceFile { name: "v.xml", bytes: SIGNED.as_bytes() }];
    let (layers, _) = Layers::read(&Sources { vendor: &vendor, ..Sources::default() });
    assert_eq!(told(&choose(&layers, "001019912345678")), (None, vec![]));

    let many: Vec<&str> = core::iter::repeat_n("CN=A", 257).collect();
    let (layers, problems) = load(&[("one", with_engine(&many))], "");
    assert_eq!((told(&choose(&layers, "001019912345678")).1.len(), problems.len()), (256, 1));
    let (layers, problems) = load(&[("one", with_engine(&["CN=A", ""]))], "");
    assert_eq!((told(&choose(&layers, "001019912345678")).1.len(), problems.len()), (1, 1));
    let mut files = with_engine(&["CN=A"]);
    files[1].1 = files[1].1.replace("12345678-", "1234567-");
    let (layers, problems) = load(&[("one", files)], "");
    assert_eq!((told(&choose(&layers, "001019912345678")), problems.len()), ((None, vec!["CN=A"]), 1));
}
