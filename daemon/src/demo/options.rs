//! The command line of the demo.

use harness::virtual_operator::Scenario;

pub(crate) const USAGE: &str = "\
Usage: mbimd demo [--scenario NAME] [--json] [--stay]

Shows the whole main job with a virtual modem and a virtual operator in private
namespaces, as root or as an ordinary user. Exit status 0 only if the machine
ended up online.

  --scenario NAME   what kind of operator; `list` names them (default garden)
  --json            one JSON object a line instead of the timeline
  --stay            do not end when the story is told, but on Ctrl-C: time to
                    look around with mbimctl on the bus that is printed
  --help            this text
";

/// What the person wants.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// The demo.
    Run(Options),
    /// The names of the scenarios.
    List,
    /// The usage.
    Help,
}

/// How to run it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// The operator.
    pub(crate) scenario: Scenario,
    /// JSON lines.
    pub(crate) json: bool,
    /// Wait for Ctrl-C at the end.
    pub(crate) stay: bool,
}

pub(crate) fn parse(words: &[String]) -> Result<Asked, String> {
    let mut options = Options { scenario: Scenario::garden(), json: false, stay: false };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let (word, mut value) = match word.split_once('=') {
            Some((word, value)) => (word, Some(value.to_owned())),
            None => (word.as_str(), None),
        };
        match word {
            "--scenario" => {
                let name = value.take().or_else(|| words.next().cloned()).ok_or("--scenario needs a name")?;
                if name == "list" {
                    return Ok(Asked::List);
                }
                options.scenario = Scenario::named(&name)
                    .ok_or_else(|| format!("no scenario {name}; `--scenario list` names them"))?;
            }
            "--json" => options.json = true,
            "--stay" => options.stay = true,
            "--help" | "-h" => return Ok(Asked::Help),
            other => return Err(format!("unknown option {other}")),
        }
        if value.is_some() {
            return Err(format!("{word} takes no value"));
        }
    }
    Ok(Asked::Run(options))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &[&str]) -> Result<Asked, String> {
        parse(&words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn options_are_read() {
        let default = Options { scenario: Scenario::garden(), json: false, stay: false };
        assert_eq!(parsed(&[]), Ok(Asked::Run(default)));
        assert_eq!(parsed(&["--scenario", "list"]), Ok(Asked::List));
        assert_eq!(parsed(&["--scenario=list"]), Ok(Asked::List));
        let Ok(Asked::Run(open)) = parsed(&["--json", "--scenario", "open"]) else { panic!("must run") };
        assert_eq!((open.scenario.name.as_str(), open.json), ("open", true));
        for wrong in [&["--scenario"][..], &["--scenario", "x"], &["--jason"], &["--json=1"], &["garden"]] {
            assert!(parsed(wrong).is_err(), "{wrong:?}");
        }
    }
}
