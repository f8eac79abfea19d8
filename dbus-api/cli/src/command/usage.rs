//! `mbimctl usage`.

use std::collections::HashMap;

use dbus_api::proxy::UsageProxy;
use dbus_api::value::Details;
use serde_json::{Value, json};
use zbus::{Connection, Variant};

use crate::arguments::Usage;
use crate::failure::Failure;
use crate::modem;
use crate::show::{Output, object, table};

/// Days that the text lists; `--json` has all.
const SHOWN: usize = 7;

pub(super) async fn run(connection: &Connection, wish: &Usage, output: Output) -> Result<(), Failure> {
    let modem = modem::pick(connection, wish.which.modem.as_deref()).await?;
    let proxy: UsageProxy<'_> = super::proxy(connection, &modem).await?;
    if wish.reset {
        proxy.reset().await?;
    } else {
        proxy.refresh().await?;
    }
    let days = proxy.get_days().await?;
    // What the modem itself counts may arrive a moment later; it is only a comparison.
    let seen = Seen {
        since: proxy.since().await?,
        home: proxy.home().await?,
        roaming: proxy.roaming().await?,
        tests: proxy.tests().await?,
        sessions: proxy.sessions().await?,
        modem: proxy.modem().await?,
        plan: proxy.plan().await?,
        metered: proxy.metered_name().await?,
        metered_by: proxy.metered_by().await?,
        days,
    };
    output.print(&seen.json(modem.number), || seen.text());
    Ok(())
}

type Counters = HashMap<String, u64>;

/// Everything that the daemon says of it.
struct Seen {
    since: u64,
    home: Counters,
    roaming: Counters,
    tests: u64,
    sessions: Vec<Details>,
    modem: Counters,
    plan: Details,
    metered: String,
    metered_by: String,
    days: Vec<Details>,
}

impl Seen {
    fn json(&self, number: u32) -> Value {
        let days = self.days.iter().map(|day| {
            let mut row = object(day);
            row["day"] = Some(number_of(day, "day")).filter(|day| *day > 0).map(date).into();
            row
        });
        json!({
            "modem": number,
            "since": Some(self.since).filter(|since| *since > 0),
            "home": counters(&self.home),
            "roaming": counters(&self.roaming),
            "tests_octets": self.tests,
            "sessions": self.sessions.iter().map(object).collect::<Vec<_>>(),
            "modem_counts": if self.modem.is_empty() { Value::Null } else { counters(&self.modem) },
            "plan": if self.plan.is_empty() { Value::Null } else { object(&self.plan) },
            "metered": self.metered,
            "metered_by": self.metered_by,
            "days": days.collect::<Vec<_>>(),
        })
    }

    fn text(&self) -> String {
        let row =
            |name: &str, rx: u64, tx: u64| [name.to_owned(), octets(rx), octets(tx), octets(rx.saturating_add(tx))];
        let sum = |name: &str, of: &Counters| row(name, of_key(of, "rx-octets"), of_key(of, "tx-octets"));
        let from = if self.since > 0 { format!("since {}", date(self.since)) } else { "all".to_owned() };
        let mut rows = vec![[from, "received".to_owned(), "sent".to_owned(), "both".to_owned()]];
        rows.push(sum("  home", &self.home));
        rows.push(sum("  roaming", &self.roaming));
        for day in self.days.iter().rev().take(SHOWN) {
            let at = number_of(day, "day");
            let abroad = if modem::flag(day, "roaming") { " roaming" } else { "" };
            let name = if at > 0 { date(at) } else { "undated".to_owned() };
            rows.push(row(&format!("{name}{abroad}"), number_of(day, "rx-octets"), number_of(day, "tx-octets")));
        }
        for session in &self.sessions {
            let name = format!("session {}", modem::number(session, "session").unwrap_or_default());
            rows.push(row(&name, number_of(session, "rx-octets"), number_of(session, "tx-octets")));
        }
        if !self.modem.is_empty() {
            rows.push(row(
                "the modem says",
                of_key(&self.modem, "modem-rx-octets"),
                of_key(&self.modem, "modem-tx-octets"),
            ));
            rows.push(sum("  and we, then", &self.modem));
        }
        format!(
            "{}{}connectivity tests, in the above: {}\nmetered: {} ({})\n",
            table(&rows),
            plan_text(&self.plan),
            octets(self.tests),
            self.metered,
            self.metered_by
        )
    }
}

/// A line about the data plan, where one is known.
fn plan_text(plan: &Details) -> String {
    let Some(name) = text_of(plan, "name") else { return String::new() };
    let used = number_of(plan, "used-octets");
    let kind = text_of(plan, "type").unwrap_or_default();
    let mut text = format!("plan {name} ({kind}): {} used", octets(used));
    match number_of(plan, "limit-octets") {
        0 => {}
        limit => {
            let percent = u128::from(used) * 100 / u128::from(limit);
            text += &format!(" of {}, {percent} %", octets(limit));
        }
    }
    if modem::flag(plan, "over-limit") {
        text += ", used up";
    }
    if modem::flag(plan, "congested") {
        text += ", the network is congested";
    }
    match number_of(plan, "told-at") {
        0 => {}
        at => text += &format!("; the operator said {} on {}", octets(number_of(plan, "told-octets")), date(at)),
    }
    text + "\n"
}

fn of_key(counters: &Counters, key: &str) -> u64 {
    counters.get(key).copied().unwrap_or_default()
}

fn counters(counters: &Counters) -> Value {
    counters
        .iter()
        .map(|(key, value)| (crate::show::snake(key), Value::from(*value)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn text_of<'a>(details: &'a Details, key: &str) -> Option<&'a str> {
    match details.get(key).map(|value| &**value) {
        Some(Variant::Str(text)) => Some(text),
        _ => None,
    }
}

fn number_of(details: &Details, key: &str) -> u64 {
    match details.get(key).map(|value| &**value) {
        Some(Variant::U64(number)) => *number,
        _ => 0,
    }
}

/// Octets for people, in steps of a thousand as plans are sold.
fn octets(count: u64) -> String {
    let mut step = 1;
    for unit in ["B", "kB", "MB", "GB", "TB"] {
        if count / step < 1000 || unit == "TB" {
            // One place behind the point, cut and not rounded: never more than there was.
            let tenths = count / (step / 10).max(1) % 10;
            return if step == 1 { format!("{count} B") } else { format!("{}.{tenths} {unit}", count / step) };
        }
        step *= 1000;
    }
    format!("{count} B")
}

/// The day, UTC, as `2026-11-21`.
fn date(seconds: u64) -> String {
    // Days since 1 March of the year 0, in eras of 400 years that all have as many days.
    let day = seconds / 86_400 + 719_468;
    let (era, of_era) = (day / 146_097, day % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    format!("{:04}-{month:02}-{day:02}", era * 400 + year + u64::from(month <= 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_about_the_plan() {
        let plan = |list: Vec<(&str, Variant<'static>)>| -> Details {
            list.into_iter().map(|(key, value)| (key.to_owned(), value.try_into().unwrap())).collect()
        };
        assert_eq!(plan_text(&plan(vec![])), "");
        let open =
            plan(vec![("name", "Five GB".into()), ("type", "variable".into()), ("used-octets", 1_500_000_u64.into())]);
        assert_eq!(plan_text(&open), "plan Five GB (variable): 1.5 MB used\n");
        let full = plan(vec![
            ("name", "p".into()),
            ("type", "fixed".into()),
            ("used-octets", 5_000_000_000_u64.into()),
            ("limit-octets", 4_000_000_000_u64.into()),
            ("over-limit", true.into()),
            ("congested", true.into()),
            ("told-at", 1_795_219_200_u64.into()),
            ("told-octets", 1000_u64.into()),
        ]);
        let expected = "plan p (fixed): 5.0 GB used of 4.0 GB, 125 %, used up, the network is congested; the operator said 1.0 kB \
                        on 2026-11-21\n";
        assert_eq!(plan_text(&full), expected);
    }

    #[test]
    fn octets_for_people() {
        for (count, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (1999, "1.9 kB"),
            (999_999, "999.9 kB"),
            (5_250_000_000, "5.2 GB"),
            (1_234_000_000_000_000, "1234.0 TB"),
        ] {
            assert_eq!(octets(count), text);
        }
        assert!(octets(u64::MAX).ends_with(" TB"));
    }

    #[test]
    fn days_for_people() {
        for (seconds, text) in [
            (0, "1970-01-01"),
            (951_782_400, "2000-02-29"),
            (951_868_800, "2000-03-01"),
            (1_795_219_200, "2026-11-21"),
            (4_107_542_399, "2100-02-28"),
        ] {
            assert_eq!(date(seconds), text);
        }
    }
}
