//! The XML declaration: the one thing that is read before anything is known of the encoding.

/// What the XML declaration says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Declaration<'a> {
    pub(super) encoding: Option<&'a str>,
}

/// Reads the XML declaration: version 1.0, then perhaps an encoding, then perhaps a word on
/// whether the document stands alone. None: there is none.
pub(super) fn declaration(text: &str) -> Result<Option<Declaration<'_>>, &'static str> {
    const WRONG: &str = "the XML declaration is wrong";
    let body = match text.strip_prefix("<?xml") {
        Some(rest) if rest.starts_with([' ', '\t', '\r', '\n', '?']) => rest,
        _ => return Ok(None),
    };
    let (body, _) = body.split_once("?>").ok_or(WRONG)?;
    let (version, rest) = pseudo_attribute(body, "version").ok_or(WRONG)?;
    if version != "1.0" {
        return Err("the version of XML must be 1.0");
    }
    let (encoding, rest) = match pseudo_attribute(rest, "encoding") {
        Some((encoding, rest)) => (Some(encoding), rest),
        None => (None, rest),
    };
    let rest = match pseudo_attribute(rest, "standalone") {
        Some(("yes" | "no", rest)) => rest,
        Some(_) => return Err(WRONG),
        None => rest,
    };
    if rest.trim().is_empty() { Ok(Some(Declaration { encoding })) } else { Err(WRONG) }
}

/// Takes ` name="value"`.
fn pseudo_attribute<'a>(text: &'a str, name: &str) -> Option<(&'a str, &'a str)> {
    let inner = text.trim_start();
    if inner.len() == text.len() {
        return None;
    }
    let value = inner.strip_prefix(name)?.trim_start();
    let value = value.strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    value.get(1..)?.split_once(quote)
}
