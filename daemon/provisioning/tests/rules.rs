//! Texts against message rules: the table of samples, and each clause by itself. PROV-076 to PROV-110.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

use daemon_provisioning::{
    Bearer, Document, Facts, Incoming, ModemFacts, Moment, Outcome, Personal, PlanType, Rules, Run, Said, SimState,
    Source, StepAction, Stored, Time, Todo, plan, validate,
};

const CARRIER: &str = "{7d3c1f52-0b5e-4c7a-9a41-5e2f6b8c9d10}";
const IMSI: &str = "001010123456789";
const RECEIVED: &str = "2026-03-08T10:00:00Z";

/// The rules of a document, as they are kept.
fn rules_of(xml: &str) -> Rules {
    let modem =
        ModemFacts { sim: SimState::Ready, imsi: Some(Personal::new(IMSI.to_owned())), ..ModemFacts::default() };
    let facts = Facts { modems: vec![modem], ..Facts::default() };
    let document = Document::authorise(validate(xml.as_bytes()).unwrap(), &Source::Administrator, &facts).unwrap();
    let mut run = Run::new(plan(&document, &facts), Time::ZERO);
    let mut stored = Stored::default();
    while let Todo::Do(id, action) = run.next(Time::ZERO) {
        if let StepAction::Keep { change } = action {
            stored.apply(&change);
        }
        run.done(&id, Outcome::Changed, Time::ZERO);
    }
    Rules::new(stored.rules())
}

/// The rules of these `Message` elements.
fn rules(messages: &str) -> Rules {
    rules_of(&format!(
        "<CarrierProvisioning xmlns='http://www.microsoft.com/networking/CarrierControl/v1'><Global>\
         <CarrierId>{CARRIER}</CarrierId><SubscriberId>{IMSI}</SubscriberId></Global><MBNProfiles>\
         <Messages xmlns='http://www.microsoft.com/networking/CarrierControl/WWAN/v1'>{messages}</Messages>\
         </MBNProfiles></CarrierProvisioning>"
    ))
}

fn incoming<'t>(bearer: Bearer<'t>, text: &'t str) -> Incoming<'t> {
    Incoming { bearer, text, received: Moment::parse(RECEIVED).unwrap(), zone: 0, known_limit: None }
}

fn sms(sender: &str, class: Option<u8>) -> Bearer<'_> {
    Bearer::Sms { sender, class }
}

/// What a USSD text says to one rule with these parts before and in `Fields`.
fn said(pattern: &str, before: &str, fields: &str, text: &str, known_limit: Option<u64>) -> Said {
    let rules = rules(&format!(
        "<Message><USSDBearer/><Pattern>{pattern}</Pattern>{before}<Fields>{fields}</Fields></Message>"
    ));
    let found = rules.find(&Incoming { known_limit, ..incoming(Bearer::Ussd, text) });
    found.unwrap_or_else(|| panic!("{text} does not match {pattern}")).said
}

#[test]
fn texts_of_the_table() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/documents");
    let rules = rules_of(&std::fs::read_to_string(format!("{folder}/valid/10-messages.xml")).unwrap());
    let table = std::fs::read_to_string(format!("{folder}/messages.tsv")).unwrap();
    let mut rows = 0;
    for line in table.lines().skip(1) {
        let cells: Vec<_> = line.split('\t').collect();
        let [bearer, sender, class, received, text, rule, usage, limit, at, flags, _] = cells[..] else {
            panic!("{} cells: {line}", cells.len())
        };
        let bearer = if bearer == "ussd" { Bearer::Ussd } else { sms(sender, class.parse().ok()) };
        let received = Moment::parse(received).unwrap();
        let found = rules.find(&Incoming { received, ..incoming(bearer, text) });
        assert_eq!(found.as_ref().and_then(|found| found.rule_id).unwrap_or("none"), rule, "{line}");
        let said = found.map(|found| found.said).unwrap_or_default();
        let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
        assert_eq!((number(said.usage), number(said.data_limit)), (usage.to_owned(), limit.to_owned()), "{line}");
        let told = said.usage_at.map(|at| at.to_string()).unwrap_or_default();
        assert_eq!(told.trim_end_matches('Z'), at, "{line}");
        let told = said.refresh.map(|refresh| format!("refresh={refresh}")).unwrap_or_default();
        assert_eq!(told, flags, "{line}");
        rows += 1;
    }
    assert_eq!(rows, 10);
}

/// PROV-076 to PROV-079, PROV-110: any of the bearers; class and sender.
#[test]
fn who_may_send() {
    let many = rules(
        "<Message RuleId='m'><SMSBearer Sender='123' ClassZeroOnly='false'/><SMSBearer Sender='+456'/>\
         <SMSBearer Sender='Example' ClassZeroOnly='0'/><Pattern>x</Pattern></Message>",
    );
    for (bearer, is_for_it) in [
        (sms("123", None), true),
        (sms("+123", Some(1)), true),
        (sms("456", Some(0)), true),
        (sms("+456", Some(0)), true),
        (sms("456", Some(1)), false),
        (sms("456", None), false),
        (sms("++456", Some(0)), false),
        (sms("0123", Some(0)), false),
        (sms("Example", None), true),
        (sms("EXAMPLE", None), false),
        (sms("", Some(0)), false),
        (Bearer::Ussd, false),
    ] {
        assert_eq!(many.find(&incoming(bearer, "x")).is_some(), is_for_it, "{bearer:?}");
    }
    let found = many.find(&incoming(sms("123", None), "x")).unwrap();
    assert!(found.silent && !found.counts, "silent by default, and without fields nothing counts");
    let ussd = rules("<Message Silent='false'><USSDBearer/><Pattern>x</Pattern></Message>");
    assert!(!ussd.find(&incoming(Bearer::Ussd, "x")).unwrap().silent);
    assert!(ussd.find(&incoming(sms("1", Some(0)), "x")).is_none());
}

/// PROV-080 to PROV-082, PROV-084: the whole text, the first rule; an ordinary text is nobody's.
#[test]
fn which_rule() {
    let all = rules(
        "<Message RuleId='one'><USSDBearer/><Pattern>SPEED (LOW|NORMAL)</Pattern></Message>\
         <Message RuleId='two'><USSDBearer/><Pattern>SPEED .*</Pattern></Message>\
         <Message RuleId='bad'><USSDBearer/><Pattern>(</Pattern></Message>\
         <Message RuleId='all'><SMSBearer Sender='18005550100' ClassZeroOnly='false'/><Pattern>[^]*</Pattern></Message>",
    );
    let of = |bearer, text: &str| all.find(&incoming(bearer, text)).map(|found| found.rule_id.unwrap().to_owned());
    assert_eq!(of(Bearer::Ussd, "SPEED LOW").as_deref(), Some("one"));
    assert_eq!(of(Bearer::Ussd, "SPEED LOW.").as_deref(), Some("two"));
    assert_eq!(of(Bearer::Ussd, "speed low"), None);
    assert_eq!(of(Bearer::Ussd, " SPEED LOW"), None);
    for text in ["", "a\nb\r\n", "SPEED LOW"] {
        assert_eq!(of(sms("18005550100", None), text).as_deref(), Some("all"), "{text:?}");
    }
    assert_eq!(of(sms("18005550100", None), &"x".repeat(16 * 1024 + 1)), None, "a text over the limit");
    assert_eq!(of(sms("18005550100", None), &"x".repeat(16 * 1024)).as_deref(), Some("all"));
}

/// PROV-107, PROV-109: a rule that takes its orders from anybody changes nothing.
#[test]
fn whose_word_counts() {
    let refresh = "<Pattern>(NOW)</Pattern><Fields><RefreshProvisioning Group='1' TrueToken='NOW'/></Fields></Message>";
    let any = rules(&format!("<Message><SMSBearer/>{refresh}"));
    let some = rules(&format!("<Message><SMSBearer Sender='1'/><SMSBearer/>{refresh}"));
    let one = rules(&format!("<Message><SMSBearer Sender='1'/>{refresh}"));
    for (rules, counts) in [(&any, false), (&some, false), (&one, true)] {
        let found = rules.find(&incoming(sms("1", Some(0)), "NOW")).unwrap();
        assert_eq!((found.counts, found.said.refresh), (counts, Some(true)));
    }
}

/// PROV-092, PROV-093, PROV-106: units by their tokens, in order; bandwidths as they are told.
#[test]
fn units() {
    let units = "<Units K='kB k' M='MB' G='GB k' T='TB' Ki='KiB' Mi='MiB' Gi='GiB' Ti='TiB'/>";
    for (text, octets) in [
        ("2 k", 2_000),
        ("2 kB", 2_000),
        ("2 MB", 2_000_000),
        ("2.5 GB", 2_500_000_000),
        ("2 TB", 2_000_000_000_000),
        ("2 KiB", 2 << 10),
        ("2 MiB", 2 << 20),
        ("1,000 GiB", 1000 << 30),
        ("2 TiB", 2 << 40),
        ("2 mb", 2 << 20),
        ("2 things", 2 << 20),
        ("2 ", 2 << 20),
    ] {
        let fields = "<DataLimit Group='1' UnitGroup='2' DefaultUnit='Mi'/>";
        assert_eq!(said(r"([\d.,]+) (\w*)", units, fields, text, None).data_limit, Some(octets), "{text}");
    }
    let bandwidths = "<InboundBandwidth Group='1' DefaultUnit='K'/><OutboundBandwidth Group='2'/>";
    let both = said("(.*)/(.*)", "", bandwidths, "512/256000", None);
    assert_eq!((both.inbound, both.outbound, both.usage), (Some(512_000), Some(256_000), None));
    let one = said("(.*)/(.*)", "", bandwidths, "512/fast", None);
    assert_eq!((one.inbound, one.outbound), (Some(512_000), None));
    let much = said("(.*)", "", "<DataLimit Group='1' DefaultUnit='T'/>", "99999999", None);
    assert_eq!(much.data_limit, None, "more octets than anybody counts");
}

/// PROV-094, PROV-095: numbers of the rule's language.
#[test]
fn numbers_of_a_locale() {
    for (locale, text, limit) in [
        ("", "1,500.5", Some(1500)),
        ("<Locale>de-DE</Locale>", "1.500,5", Some(1500)),
        ("<Locale>German_Switzerland.1252</Locale>", "1'500.5", Some(1500)),
        ("<Locale>de-DE</Locale>", "1,500.5", None),
    ] {
        assert_eq!(said("(.*)", locale, "<DataLimit Group='1'/>", text, None).data_limit, limit, "{locale} {text}");
    }
}

const STAMP: &str = "<UsageTimestamp Group='1' Format='%d.%m.'/>";

/// PROV-097, PROV-099 to PROV-103: what was used, as it is told or as it follows.
#[test]
fn what_was_used() {
    let overage = "<UsageOverage Group='2' DefaultUnit='M'/>";
    let both = format!("{overage}<UsageOveragePercentage Group='3'/>");
    let known = Some(2_000_000_000);
    for (fields, pattern, text, known, usage) in [
        // The worked examples 2 and 4.
        ("<UsagePercentage Group='2'/>", r"(.*) (\d+%?)", "28.12. 80", known, Some(1_600_000_000)),
        (&both, "(.*) (.*) (.*)", "28.12. 200 20", None, Some(1_200_000_000)),
        ("<UsagePercentage Group='2'/>", "(.*) (.*)", "28.12. 12.5%", known, Some(250_000_000)),
        ("<UsagePercentage Group='2'/>", "(.*) (.*)", "28.12. much", known, None),
        ("<UsagePercentage Group='2'/>", "(.*) (.*)", "28.12. 80", None, None),
        (overage, "(.*) (.*)", "28.12. 500", known, Some(2_500_000_000)),
        (overage, "(.*) (.*)", "28.12. 500", None, None),
        ("<UsageOveragePercentage Group='2'/>", "(.*) (.*)", "28.12. 20%", known, Some(2_400_000_000)),
        (&both, "(.*) (.*) (.*)", "28.12. 200 20", known, Some(2_200_000_000)),
        (&both, "(.*) (.*) (.*)", "28.12. 200 0", None, None),
        ("<Usage Group='2'/><UsagePercentage Group='3'/>", "(.*) (.*) (.*)", "28.12. 7 50", known, Some(7)),
        ("<Usage Group='2'/><UsagePercentage Group='3'/>", "(.*) (.*) (.*)", "28.12. x 50", known, Some(1_000_000_000)),
        ("<UsagePercentage Group='2'/><DataLimit Group='3'/>", "(.*) (.*) (.*)", "28.12. 50 10", known, Some(5)),
        ("<UsagePercentage Group='2'/>", "(.*) (.*)", "31.11. 80", known, None),
    ] {
        let told = said(pattern, "", &format!("{fields}{STAMP}"), text, known);
        assert_eq!(told.usage, usage, "{fields} {text}");
        let at = usage.map(|_| "2025-12-28T00:00:00Z".to_owned());
        assert_eq!(told.usage_at.map(|at| at.to_string()), at, "{fields} {text}");
    }
    // The others count where the time cannot be read.
    let fields = format!("<Usage Group='2'/><DataLimit Group='2'/><Congested Default='true'/>{STAMP}");
    let told = said("(.*) (.*)", "", &fields, "99.99. 5", None);
    assert_eq!((told.usage, told.data_limit, told.congested), (None, Some(5), Some(true)));
}

/// PROV-098: the operator's own words for the halves of the day.
#[test]
fn halves_of_the_day() {
    let stamp =
        |tokens: &str| format!("<Usage Group='2'/><UsageTimestamp Group='1' Format='%d.%m.%Y %I %p' {tokens}/>");
    let at = |tokens: &str, text: &str| {
        said("(.*); (.*)", "", &stamp(tokens), text, None).usage_at.map(|at| at.to_string()).unwrap_or_default()
    };
    assert_eq!(at("", "07.03.2026 01 pm; 5"), "2026-03-07T13:00:00Z");
    assert_eq!(at("AmToken='fruh' PmToken='spat'", "07.03.2026 01 spat; 5"), "2026-03-07T13:00:00Z");
    assert_eq!(at("AmToken='fruh' PmToken='spat'", "07.03.2026 12 fruh; 5"), "2026-03-07T00:00:00Z");
    assert_eq!(at("AmToken='fruh' PmToken='spat'", "07.03.2026 01 pm; 5"), "");
}

/// PROV-104, PROV-105, PROV-107, PROV-108: words; a group that took no part is no hit.
#[test]
fn words() {
    let flags = "<OverDataLimit Group='1' TrueToken='OVER FULL' FalseToken='OK'/>\
        <Congested Group='1' TrueToken='SLOW' FalseToken='OK' Default='true'/><ActivationComplete Default='true'/>\
        <PlanType Group='2' UnrestrictedTokens='FLAT ALL' FixedTokens='QUOTA' VariableTokens='PAY ALL' Default='Fixed'/>";
    for (text, over, congested, kind) in [
        ("OVER", true, true, PlanType::Fixed),
        ("FULL FLAT", true, true, PlanType::Unrestricted),
        ("OK PAY", false, false, PlanType::Variable),
        ("SLOW ALL", false, true, PlanType::Unrestricted),
        ("over none", false, true, PlanType::Fixed),
    ] {
        let told = said(r"(\w+)(?: (\w+))?", "", flags, text, None);
        assert_eq!(
            (told.over_limit, told.congested, told.plan_type),
            (Some(over), Some(congested), Some(kind)),
            "{text}"
        );
        assert_eq!((told.activated, told.refresh), (Some(true), None), "{text}");
    }
    let none = said("(.*)", "", "<PlanType Group='1' FixedTokens='QUOTA'/>", "x", None);
    assert_eq!((none.plan_type, none.over_limit), (None, None));
}
