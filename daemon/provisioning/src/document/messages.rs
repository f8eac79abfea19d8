//! Message rules: which can be used. What they do is for whoever evaluates them. [PROV 4.6, 4.7, 12.10]

use super::pattern;
use crate::schema::lexical::{collapse, integer};
use crate::schema::{Ns, at, text};
use crate::xml::Node;

/// Rules of one document. [PROV 16]
const MAX_RULES: usize = 256;

const USAGES: [&str; 4] = ["Usage", "UsagePercentage", "UsageOverage", "UsageOveragePercentage"];

/// Whether a rule can be used: its position counts from 1.
pub(super) fn check(message: Node<'_>, position: usize) -> Result<(), String> {
    if position > MAX_RULES {
        return Err(format!("more than {MAX_RULES} rules"));
    }
    let expression = at(message, Ns::Wwan, "Pattern").map(text).unwrap_or_default();
    let groups = pattern::groups(&expression).map_err(|problem| format!("Pattern: {problem}"))?;
    let Some(fields) = at(message, Ns::Wwan, "Fields") else { return Ok(()) };
    let mut has_usage = false;
    let mut has_timestamp = false;
    for field in fields.children() {
        let name = field.name();
        has_usage |= USAGES.contains(&name);
        has_timestamp |= name == "UsageTimestamp";
        for attribute in ["Group", "UnitGroup"] {
            let number = field.attribute(attribute).and_then(|number| integer(&number));
            if number.is_some_and(|number| number > u64::from(groups)) {
                return Err(format!("{name}: {attribute} is above the {groups} groups of the pattern"));
            }
        }
        if name == "UsageTimestamp" {
            format(&field.attribute("Format").unwrap_or_default()).map_err(|problem| format!("{name}: {problem}"))?;
        }
    }
    match (has_usage, has_timestamp) {
        (true, false) => Err("usage without UsageTimestamp".to_owned()),
        (false, true) => Err("UsageTimestamp without usage".to_owned()),
        _ => Ok(()),
    }
}

/// The codes of a timestamp's format: known ones only, with day and month, and twelve hours only
/// with their half of the day. [PROV 4.7]
fn format(format: &str) -> Result<(), &'static str> {
    let (mut day, mut month, mut twelve, mut half) = (false, false, false, false);
    let mut rest = format.chars();
    while let Some(c) = rest.next() {
        if c != '%' {
            continue;
        }
        let mut code = rest.next();
        let bare = code == Some('#');
        if bare {
            code = rest.next();
        }
        match code {
            Some('d') => day = true,
            Some('m') => month = true,
            Some('I') => twelve = true,
            Some('H' | 'M' | 'S' | 'y' | 'Y') => {}
            Some('p') if !bare => half = true,
            _ => return Err("an unknown code in Format"),
        }
    }
    if !(day && month) {
        return Err("Format without day or month");
    }
    if twelve && !half { Err("%I in Format without %p") } else { Ok(()) }
}

/// The identifier of a rule, if it has one.
pub(super) fn rule_id(message: Node<'_>) -> Option<String> {
    message.attribute("RuleId").map(|id| collapse(&id).into_owned()).filter(|id| !id.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// PROV-096.
    #[test]
    fn formats() {
        for good in ["%d/%m/%Y %H:%M", "%#d.%#m.", "%I:%M %p %d %m %y", "%#H%#M%#S%#y%#Y%#I%p%d%m"] {
            assert_eq!(format(good), Ok(()), "{good}");
        }
        for bad in ["", "%d", "%m %Y", "%d %b", "%d%m%", "%d%m%#p", "%d%m%I", "%d%m%%"] {
            assert!(format(bad).is_err(), "{bad}");
        }
    }
}
