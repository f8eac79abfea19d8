//! Rules that the sample tables do not reach: layers, replacing and deleting, profiles, order of candidates.

#![allow(clippy::expect_used, clippy::panic, reason = "a panic of a test is its report")]

use daemon_operator::choose::{OperatorKey, Outcome, Rule};
use daemon_operator::hwid::{self, Kind};
use daemon_operator::layers::Layer;
use daemon_operator::profile::PlanHint;
use daemon_operator::{
    Auth, Candidate, CellClass, Choice, Identity, IpType, Layers, Match, Password, Profile, Purposes, Reported,
    SourceFile, Wishes,
};

const SIM: Reported<'static> = Reported {
    cell_class: CellClass::Gsm,
    subscriber_id: "001015512345678",
    iccid: "8999000000000000013",
    device_id: "",
    provider_id: "",
    sid: "",
    provider_name: "",
    spn: "",
    pnn: "",
    gid1: "",
    gid2: "",
    mnc_length: None,
    ehplmn: &[],
    telephone_numbers: &[],
    protected: false,
};

/// A whole file around the providers of country `xt`.
fn file(providers: &str) -> String {
    format!(
        "<serviceproviders format='2.0' xmlns:ov='urn:x-operator-overlay:1'><country code='xt'>{providers}</country>\
         </serviceproviders>"
    )
}

/// A provider of network 001-01 with one internet access point of its own name.
fn plain(name: &str, attributes: &str) -> String {
    provider(name, attributes, "<network-id mcc='001' mnc='01'/>", "")
}

fn provider(name: &str, attributes: &str, codes: &str, selects: &str) -> String {
    let apn = name.to_ascii_lowercase();
    format!(
        "<provider {attributes}><name>{name}</name><gsm>{codes}{selects}\
         <apn value='{apn}'><usage type='internet'/></apn></gsm></provider>"
    )
}

fn of_apns(apns: &str) -> String {
    format!("<provider><name>One</name><gsm><network-id mcc='001' mnc='01'/>{apns}</gsm></provider>")
}

fn layers(vendor: &str, overlays: &[(&str, String)]) -> Layers {
    let vendor = file(vendor);
    let overlays: Vec<SourceFile<'_>> =
        overlays.iter().map(|(name, text)| SourceFile { name, bytes: text.as_bytes() }).collect();
    let (layers, problems) = Layers::load(&[SourceFile { name: "vendor.xml", bytes: vendor.as_bytes() }], &overlays);
    assert_eq!(problems, [], "the test's files are good");
    layers
}

fn choose(layers: &Layers, reported: &Reported<'_>, wishes: &Wishes) -> Choice {
    let (identity, findings) = Identity::normalise(reported);
    assert_eq!(findings, []);
    layers.choose(&identity, wishes)
}

fn apns(choice: &Choice) -> String {
    choice.candidates.iter().map(|candidate| candidate.apn.as_str()).collect::<Vec<_>>().join(" ")
}

/// Names of candidates; the network's default shows as a blank at the end.
#[track_caller]
fn check(vendor: &str, overlay: &str, reported: &Reported<'_>, expected: &str) -> Choice {
    let choice = choose(&layers(vendor, &[("a.xml", file(overlay))]), reported, &Wishes::default());
    assert_eq!(apns(&choice), expected);
    choice
}

#[test]
fn replace_hides_the_listed_codes_only() {
    let two = "<network-id mcc='001' mnc='01'/><network-id mcc='001' mnc='02'/>";
    let vendor = provider("Old", "", two, "") + &plain("Other", "");
    let replace = |codes| provider("OLD!", "ov:op='replace'", codes, "").replace("'old!'", "'new'");
    let one = "<network-id mcc='001' mnc='01'/>";
    check(&vendor, &replace(one), &SIM, "new other ");
    let second = Reported { subscriber_id: "001025512345678", ..SIM };
    check(&vendor, &replace(one), &second, "old ");
    // Without codes it hides nothing, and is itself out of reach.
    check(&vendor, &replace(""), &SIM, "old other ");
    // Another country's operator of the same name stays.
    let other_country = file(&replace(one)).replace("code='xt'", "code='xx'");
    let choice = choose(&layers(&vendor, &[("a.xml", other_country)]), &SIM, &Wishes::default());
    assert_eq!(apns(&choice), "new old other ");
}

#[test]
fn delete_reaches_what_it_names() {
    let two = "<network-id mcc='001' mnc='01'/><network-id mcc='001' mnc='02'/>";
    let vendor = provider("Old", "", two, "") + &plain("Other", "");
    let delete = |codes| format!("<provider ov:op='delete'><name>old</name><gsm>{codes}</gsm></provider>");
    check(&vendor, &delete("<network-id mcc='001' mnc='01'/>"), &SIM, "other ");
    let second = Reported { subscriber_id: "001025512345678", ..SIM };
    check(&vendor, &delete("<network-id mcc='001' mnc='01'/>"), &second, "old ");
    let choice = check(&vendor, &delete(""), &second, "");
    assert_eq!(choice.verdict, Match::None);
    // Aliases are not looked at: the whole of any name element is.
    let two_names = plain("One", "").replace("<gsm>", "<name xml:lang='de'>Eins/Erste</name><gsm>");
    let delete_name = |name| format!("<provider ov:op='delete'><name>{name}</name></provider>");
    check(&two_names, &delete_name("Erste"), &SIM, "one ");
    check(&two_names, &delete_name("eins erste"), &SIM, "");
}

#[test]
fn a_record_that_lost_its_codes_is_not_found_by_its_selectors() {
    let select = "<ov:select iccid-prefix='8999'/>";
    let one = "<network-id mcc='001' mnc='01'/>";
    let below = file(&provider("Old", "", one, select));
    let delete = |codes| file(&format!("<provider ov:op='delete'><name>Old</name><gsm>{codes}</gsm></provider>"));
    let found = |above: String| {
        let layers = layers("", &[("a.xml", below.clone()), ("b.xml", above)]);
        let locked = Reported { subscriber_id: "", ..SIM };
        (apns(&choose(&layers, &SIM, &Wishes::default())), apns(&choose(&layers, &locked, &Wishes::default())))
    };
    assert_eq!(found(delete(one)), ("".to_owned(), "".to_owned()));
    assert_eq!(found(file("")), ("old ".to_owned(), "".to_owned()));
}

#[test]
fn later_overlay_files_stand_first_and_reach_earlier_ones() {
    let files = [("a.xml", file(&plain("First", ""))), ("b.xml", file(&plain("Second", "")))];
    assert_eq!(apns(&choose(&layers("", &files), &SIM, &Wishes::default())), "second first ");
    let (one, other) = (files[1].clone(), files[0].clone());
    assert_eq!(apns(&choose(&layers("", &[one, other]), &SIM, &Wishes::default())), "second first ");
    let files = [
        ("10.xml", file(&plain("First", ""))),
        ("20.xml", file("<provider ov:op='delete'><name>First</name></provider>")),
        ("30.xml", file(&plain("First", "").replace("'first'", "'again'"))),
    ];
    assert_eq!(apns(&choose(&layers("", &files), &SIM, &Wishes::default())), "again ");
}

#[test]
fn exclusive_ends_the_list_after_its_own_layer() {
    let overlay = plain("One", "ov:exclusive='true' primary='true'") + &plain("Two", "");
    check(&plain("Vendor", ""), &overlay, &SIM, "one two");
    // Not when another record is chosen.
    let overlay = plain("One", "ov:exclusive='true'") + &plain("Two", "primary='true'");
    check(&plain("Vendor", ""), &overlay, &SIM, "two one vendor ");
}

#[test]
fn selectors_hold_together_or_not_at_all() {
    let check_select = |select: &str, reported: &Reported<'_>, holds: bool| {
        let overlay = provider("One", "", "<network-id mcc='001' mnc='01'/>", select);
        check("", &overlay, reported, if holds { "one " } else { "" });
    };
    let sim = Reported { spn: "Kids", gid1: "D1C4FF", gid2: "0A", pnn: "Net", provider_name: "Prov", ..SIM };
    check_select("<ov:select spn='KIDS' gid1='d1' gid2='0a' pnn='net' provider-name='p r o v'/>", &sim, true);
    check_select("<ov:select spn='KIDS' gid1='d2'/>", &sim, false);
    check_select("<ov:select spn='x'/><ov:select gid1='d1c'/>", &sim, true);
    check_select("<ov:select imsi-prefix='00101' iccid-prefix='8999'/>", &sim, true);
    check_select("<ov:select imsi-from='001015000000000' imsi-to='001015999999999' imsi-prefix='00101'/>", &sim, true);
    check_select("<ov:select imsi-from='001015000000000' imsi-to='001015999999999' imsi-prefix='00102'/>", &sim, false);
    check_select("<ov:select imsi-from='001015000000000'/>", &sim, false);
    check_select("<ov:select imsi-prefix=''/>", &sim, false);
    check_select("<ov:select spn='!'/>", &Reported { spn: "?", ..SIM }, false);
    check_select("<ov:select/>", &sim, false);
    check_select("<ov:select hwid='MBOP:1:I06:TAJWZL7C7S5NG3IEQ4YZHVE5'/>", &sim, true);
    check_select("<ov:select hwid='MBOP:1:I06:AAAAAAAAAAAAAAAAAAAAAAAA'/>", &sim, false);
    check_select("<ov:select iccid-prefix='8999'/>", &Reported { iccid: "", ..sim }, false);
}

#[test]
fn attributes_that_we_do_not_know_never_match() {
    let overlay = file(&provider("One", "", "", "<ov:select imsi-prefix='00101' eid='1'/>"));
    let (layers, problems) = Layers::load(&[], &[SourceFile { name: "a.xml", bytes: overlay.as_bytes() }]);
    assert_eq!(problems.len(), 1);
    assert_eq!(apns(&choose(&layers, &SIM, &Wishes::default())), "");
}

#[test]
fn the_narrower_of_two_equal_scores_wins() {
    let one = "<network-id mcc='001' mnc='01'/>";
    let wide = provider("Wide", "primary='true'", one, "<ov:select imsi-prefix='00101'/>");
    let narrow = provider("Narrow", "primary='false'", one, "<ov:select imsi-prefix='001015'/>");
    let choice = check("", &(wide.clone() + &narrow), &SIM, "narrow wide ");
    assert_eq!((choice.verdict, choice.rule), (Match::Exact, Rule::Selector));
    let by_card = provider("Card", "", one, "<ov:select iccid-prefix='89'/>");
    check("", &(narrow + &by_card), &SIM, "card narrow ");
    let twice = wide.replace("Wide", "Twin").replace("'wide'", "'twin'");
    let choice = check("", &(wide + &twice), &SIM, "wide twin ");
    assert_eq!(choice.verdict, Match::Ambiguous);
    assert_eq!(choice.alternatives.len(), 2);
}

#[test]
fn a_person_settles_an_ambiguous_match() {
    let layers = layers(&(plain("One", "") + &plain("Two", "")), &[]);
    let key = OperatorKey { country: "xt".into(), name: "Two".into(), layer: Layer::Vendor };
    let choice = choose(&layers, &SIM, &Wishes { operator: Some(key), ..Wishes::default() });
    assert_eq!(apns(&choice), "two one ");
    assert_eq!((choice.verdict, choice.rule), (Match::Exact, Rule::UserChoice));
    let gone = OperatorKey { country: "xt".into(), name: "Three".into(), layer: Layer::Vendor };
    let choice = choose(&layers, &SIM, &Wishes { operator: Some(gone), ..Wishes::default() });
    assert_eq!(choice.verdict, Match::Ambiguous);
}

fn profile(layer: Layer, apn: &str, purposes: Purposes) -> Profile {
    Profile { layer, apn: apn.into(), purposes, ..Profile::default() }
}

#[test]
fn profiles_take_the_place_of_their_layer() {
    let layers = layers(&plain("Vendor", ""), &[("a.xml", file(&plain("Overlay", "")))]);
    let profiles = vec![
        profile(Layer::Modem, "modem", Purposes::NONE),
        profile(Layer::ServiceMetadata, "package", Purposes::INTERNET),
        profile(Layer::Provisioning, "default", Purposes::INTERNET),
        profile(Layer::Provisioning, "buy", Purposes::PURCHASE),
        profile(Layer::User, " mine ", Purposes::INTERNET),
    ];
    let choice = choose(&layers, &SIM, &Wishes { profiles: profiles.clone(), ..Wishes::default() });
    assert_eq!(apns(&choice), "mine default package overlay modem vendor ");
    assert_eq!(choice.purchase().map(|candidate| candidate.apn.as_str()).collect::<Vec<_>>(), ["buy"]);
    // What was good before comes after what was asked for, and before all else.
    let wishes = Wishes { profiles, last_good: Some("vendor/".into()), ..Wishes::default() };
    assert_eq!(apns(&choose(&layers, &SIM, &wishes)), "mine default package vendor overlay modem ");
    // Without any record they are all there is.
    let wishes = Wishes { profiles: vec![profile(Layer::User, "mine", Purposes::INTERNET)], ..Wishes::default() };
    let choice = choose(&Layers::default(), &SIM, &wishes);
    assert_eq!((choice.verdict, apns(&choice)), (Match::None, "mine ".to_owned()));
}

#[test]
fn each_candidate_says_why_it_stands_in_the_list() {
    let layers =
        layers(&(plain("Vendor", "") + &plain("Host", "primary='true'")), &[("a.xml", file(&plain("Overlay", "")))]);
    let profiles = vec![
        profile(Layer::Modem, "modem", Purposes::NONE),
        profile(Layer::ServiceMetadata, "package", Purposes::INTERNET),
        profile(Layer::Provisioning, "default", Purposes::INTERNET),
        profile(Layer::Provisioning, "buy", Purposes::PURCHASE),
        profile(Layer::User, "mine", Purposes::INTERNET),
    ];
    let whys = |reported: &Reported<'_>, wishes: &Wishes| -> String {
        let choice = choose(&layers, reported, wishes);
        let why = |candidate: &Candidate| format!("{}: {}\n", candidate.apn, candidate.criterion);
        choice.candidates.iter().chain(choice.purchase()).map(why).collect()
    };
    let wishes = Wishes { profiles, ..Wishes::default() };
    assert_eq!(
        whys(&SIM, &wishes),
        "mine: user-apn\ndefault: provisioned-default-profile\npackage: service-metadata\noverlay: plmn-unique\n\
         modem: modem-context\nhost: plmn-primary\nvendor: plmn-shared\n: network-default\n\
         buy: provisioned-purchase-profile\n"
    );
    // Only what was moved ahead stands where it does for having been good.
    let good = |key: &str| whys(&SIM, &Wishes { last_good: Some(key.into()), ..Wishes::default() });
    assert_eq!(good("vendor/"), "vendor: last-good\noverlay: plmn-unique\nhost: plmn-primary\n: network-default\n");
    assert!(good("overlay/").starts_with("overlay: plmn-unique\n"));
    assert!(good("/").starts_with(": last-good\n"));
    let equivalent = Reported { subscriber_id: "999995512345678", ehplmn: &["00101"], ..SIM };
    assert!(whys(&equivalent, &Wishes::default()).starts_with("overlay: ehplmn+plmn-unique\n"));
}

#[test]
fn an_empty_name_that_someone_set_is_the_only_one() {
    let wishes = Wishes { profiles: vec![profile(Layer::User, "", Purposes::INTERNET)], ..Wishes::default() };
    let choice = choose(&layers(&plain("One", ""), &[]), &SIM, &wishes);
    assert_eq!(apns(&choice), " one");
    assert_eq!(choice.listed().len(), 2);
    assert_eq!(choice.rounds().len(), 1);
}

#[test]
fn what_was_good_before_counts_only_while_it_is_listed() {
    let vendor = of_apns("<apn value='a'/><apn value='B'><username>u</username></apn><apn value='c'/>");
    let layers = layers(&vendor, &[]);
    let good = |key: &str| apns(&choose(&layers, &SIM, &Wishes { last_good: Some(key.into()), ..Wishes::default() }));
    assert_eq!(good("b/u"), "B a c ");
    assert_eq!(good("b/"), "a B c ");
    assert_eq!(good("/"), " a B c");
    let key = choose(&layers, &SIM, &Wishes::default()).candidates[1].key();
    assert_eq!(key, "b/u");
}

#[test]
fn order_inside_a_record() {
    let vendor = of_apns(
        "<apn value='wap'><usage type='wap'/></apn>\
         <apn value='untold'/>\
         <apn value='hipri'><usage type='mms-internet-hipri'/></apn>\
         <apn value='x.ims'><usage type='internet'/></apn>\
         <apn value='bill'><plan type='postpaid'/><usage type='internet'/></apn>\
         <apn value='both'><plan type='postpaid'/><plan type='prepaid'/><usage type='internet'/></apn>\
         <apn value='second'><usage type='wap'/><ov:auto-connect order='2'/></apn>\
         <apn value='first'><usage type='mms'/><ov:purpose type='internet'/><ov:auto-connect order='1'/></apn>\
         <apn value='only.mms'><usage type='mms'/></apn>\
         <apn value='attach'><usage type='ia'/></apn>\
         <apn value='admin'><ov:purpose type='admin'/></apn>",
    );
    let layers = layers(&vendor, &[]);
    let with = |plan| apns(&choose(&layers, &SIM, &Wishes { plan, ..Wishes::default() }));
    assert_eq!(with(PlanHint::Unknown), "first second bill both hipri untold wap x.ims ");
    assert_eq!(with(PlanHint::Prepaid), "first second both hipri untold wap bill x.ims ");
    assert_eq!(with(PlanHint::Postpaid), "first second bill both hipri untold wap x.ims ");
}

#[test]
fn the_same_access_point_is_tried_once() {
    let vendor = of_apns(
        "<apn value='Net'><username>u</username><password>p</password></apn>\
         <apn value='net'><username>u</username><password>p</password></apn>\
         <apn value='net'><username>u</username><password>p</password><authentication method='pap'/></apn>\
         <apn value='net'><username/><password></password></apn>\
         <apn value='net'/>\
         <apn value=' net '/>",
    );
    let choice = check(&vendor, "", &SIM, "Net net net ");
    let auth: Vec<Option<Auth>> = choice.candidates.iter().map(|candidate| candidate.auth).collect();
    assert_eq!(auth, [None, Some(Auth::Pap), None, None]);
}

#[test]
fn rounds_of_eight_each_end_with_the_default() {
    let many: String = (0..19).map(|number| format!("<apn value='n{number}'/>")).collect();
    let choice = choose(&layers(&of_apns(&many), &[]), &SIM, &Wishes::default());
    let rounds: Vec<(usize, &str)> = choice
        .rounds()
        .iter()
        .map(|round| (round.len(), round.last().expect("no round is empty").apn.as_str()))
        .collect();
    assert_eq!(rounds, [(9, ""), (9, ""), (4, "")]);
    let nothing = choose(&Layers::default(), &SIM, &Wishes::default());
    assert_eq!(nothing.rounds().len(), 1);
}

#[test]
fn other_purposes_have_their_own_lists() {
    let overlay = of_apns(
        "<apn value='net'><ov:purpose type='internet'/><ov:purpose type='attach'/>\
           <ov:ip type='ipv4v6' roaming='ipv4'/><ov:roaming mode='home-partner'/></apn>\
         <apn value='buy2'><ov:purpose type='purchase'/><ov:auto-connect order='2'/></apn>\
         <apn value='buy1'><ov:purpose type='purchase'/><ov:auto-connect order='1'/></apn>\
         <apn value='mms'><usage type='mms'/><mmsc>http://m/</mmsc><mmsproxy>10.0.0.1:80</mmsproxy></apn>\
         <apn value=''><ov:purpose type='attach'/></apn>",
    );
    let choice = check("", &overlay, &SIM, "net ");
    assert_eq!(choice.purchase().map(|candidate| candidate.apn.as_str()).collect::<Vec<_>>(), ["buy1", "buy2"]);
    assert_eq!(choice.attach().expect("attach").apn, "net");
    assert_eq!(choice.tether().first().expect("internet instead").apn, "net");
    let mms = choice.mms().next().expect("mms");
    assert_eq!((mms.mmsc.as_deref(), mms.mms_proxy.as_deref()), (Some("http://m/"), Some("10.0.0.1:80")));
    let net = &choice.candidates[0];
    assert_eq!((net.ip_type(false), net.ip_type(true)), (IpType::V4v6, IpType::V4));
    // A guess is never written into the modem.
    let twice = overlay.clone() + &overlay.replace("One", "Two").replace("'net'", "'net2'");
    let choice = check("", &twice, &SIM, "net net2 ");
    assert_eq!((choice.verdict, choice.attach()), (Match::Ambiguous, None));
}

#[test]
fn cdma_by_system_then_by_exact_name() {
    let cdma = |name: &str, attributes: &str, sids: &[u16]| {
        let sids: String = sids.iter().map(|sid| format!("<sid value='{sid}'/>")).collect();
        format!(
            "<provider {attributes}><name>{name}</name><cdma><username>{name}@x</username><password>p</password>{sids}\
             </cdma></provider>"
        )
    };
    let vendor = cdma("One", "", &[1]) + &cdma("Two", "", &[1, 2]) + &cdma("Three", "primary='true'", &[3]);
    let sim = |sid, name| Reported {
        cell_class: CellClass::Cdma,
        subscriber_id: "5551234567",
        sid,
        provider_name: name,
        ..Reported::default()
    };
    let users = |choice: &Choice| {
        choice.candidates.iter().map(|candidate| candidate.user.clone()).collect::<Vec<_>>().join(" ")
    };
    let layers_of = layers(&vendor, &[]);
    let choice = choose(&layers_of, &sim("1", "Three"), &Wishes::default());
    assert_eq!((choice.verdict, choice.rule, users(&choice)), (Match::Ambiguous, Rule::Sid, "Two@x One@x ".to_owned()));
    let choice = choose(&layers_of, &sim("9", "Three"), &Wishes::default());
    assert_eq!(
        (choice.verdict, choice.rule, users(&choice)),
        (Match::Exact, Rule::ProviderName, "Three@x ".to_owned())
    );
    assert_eq!(choose(&layers_of, &sim("9", "three"), &Wishes::default()).verdict, Match::None);
    let deleted = "<provider ov:op='delete'><name>Two</name><cdma><sid value='1'/></cdma></provider>";
    let layers = layers(&vendor, &[("a.xml", file(deleted))]);
    assert_eq!(users(&choose(&layers, &sim("1", ""), &Wishes::default())), "One@x ");
    assert_eq!(users(&choose(&layers, &sim("2", ""), &Wishes::default())), "Two@x ");
}

#[test]
fn the_explanation_names_what_was_passed_over() {
    let one = "<network-id mcc='001' mnc='01'/>";
    let overlay = provider("Kids", "", one, "<ov:select spn='Kids'/>");
    let choice = check(&(plain("One", "") + &plain("Two", "primary='true'")), &overlay, &SIM, "two one ");
    let outcomes: Vec<(Rule, Outcome)> =
        choice.explanation.criteria.iter().map(|criterion| (criterion.rule, criterion.outcome)).collect();
    assert_eq!(
        outcomes,
        [
            (Rule::Selector, Outcome::NoMatch),
            (Rule::SpnName, Outcome::Absent),
            (Rule::ProviderName, Outcome::Absent),
            (Rule::PlmnUnique, Outcome::NoMatch),
            (Rule::PlmnPrimary, Outcome::Won),
            (Rule::PlmnShared, Outcome::NotNeeded),
        ]
    );
    let overlay = &choice.explanation.layers[0];
    assert_eq!((overlay.layer, overlay.chosen, overlay.considered.len()), (Layer::Overlay, false, 0));
    assert_eq!(overlay.passed_over[0].operator.name, "Kids");
    let text = format!("{:?}", choice.explanation);
    let longest = text.split(|c: char| !c.is_ascii_digit()).map(str::len).max().expect("text");
    assert!(longest < 7, "{text}");
}

#[test]
fn the_selectors_that_decided_are_told_but_nothing_personal() {
    let sim = Reported { spn: "Kids", gid1: "D1C4FF0102", gid2: "0A", ..SIM };
    let told = |selects: &str| -> String {
        let overlay = provider("One", "", "<network-id mcc='001' mnc='01'/>", selects) + &plain("Other", "");
        let choice = choose(&layers("", &[("a.xml", file(&overlay))]), &sim, &Wishes::default());
        assert_eq!(
            (choice.rule, choice.selectors()),
            (Rule::Selector, &*choice.explanation.layers[0].considered[0].selectors)
        );
        assert!(choice.explanation.layers[0].considered[1].selectors.is_empty());
        choice.selectors().iter().map(|held| format!("{held}; ")).collect()
    };
    let six = "MBOP:1:I06:TAJWZL7C7S5NG3IEQ4YZHVE5";
    assert_eq!(told(&format!("<ov:select hwid='{six}'/>")), format!("hwid {six}; "));
    // Of several elements the best, all of whose attributes hold.
    let two = format!("<ov:select hwid='{six}'/><ov:select spn='kids' gid1='d1c4ff01' gid2='0a'/><ov:select spn='x'/>");
    assert_eq!(told(&two), "gid1 ###; gid2 0a; spn kids; ");
    let long = hwid::range_hwids(Kind::Imsi, "001015500000000", "001015599999999").expect("a range")[0].clone();
    assert_eq!(long.places(), 7);
    assert_eq!(told(&format!("<ov:select hwid='{}'/>", long.as_str())), "hwid MBOP:1:I07:###; ");
    let numbers = "<ov:select imsi-from='001015000000000' imsi-to='001015999999999' imsi-prefix='0010155' \
                   iccid-prefix='8999'/>";
    assert_eq!(told(numbers), "iccid-prefix 8999; imsi-from ###; imsi-to ###; imsi-prefix ###; ");
    let vendor_only = choose(&layers(&plain("One", ""), &[]), &sim, &Wishes::default());
    assert_eq!(vendor_only.selectors(), []);
}

#[test]
fn vendor_records_give_no_link_for_identifiers() {
    let url = "<ov:account-url> https://x.example/ </ov:account-url></provider>";
    let one = plain("One", "").replace("</provider>", url);
    let choice = check(&one, "", &SIM, "one ");
    assert_eq!(choice.operator.expect("one").account_url, None);
    let choice = check("", &one, &SIM, "one ");
    assert_eq!(choice.operator.expect("one").account_url.as_deref(), Some("https://x.example/"));
}

/// Only an overlay names a network's API, and only one that is asked over TLS.
#[test]
fn the_api_of_a_record_is_an_overlays_and_https() {
    let with =
        |url: &str| plain("One", "").replace("</provider>", &format!("<ov:api-url> {url} </ov:api-url></provider>"));
    let of = |vendor: &str, overlay: &str| check(vendor, overlay, &SIM, "one ").operator.expect("one").api_url;
    assert_eq!(of("", &with("HTTPS://api.x.example/v1")).as_deref(), Some("HTTPS://api.x.example/v1"));
    assert_eq!(of(&with("https://api.x.example/v1"), ""), None);
    for bad in ["http://api.x.example/", "https:/x", "ftp://x", "", "httpsé://x"] {
        assert_eq!(of("", &with(bad)), None, "{bad}");
    }
}

#[test]
fn nothing_printed_holds_credentials() {
    let vendor = of_apns("<apn value='a'><username>someone</username><password>secret</password></apn>");
    let mine = Profile { user: "someone".into(), password: Password::new("secret"), ..Profile::default() };
    let wishes = Wishes { profiles: vec![mine], ..Wishes::default() };
    let choice = choose(&layers(&vendor, &[]), &SIM, &wishes);
    let text = format!("{choice:?} {wishes:?}");
    assert!(!text.contains("someone") && !text.contains("secret"), "{text}");
}
