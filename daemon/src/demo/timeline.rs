//! Telling what happens, to a person or to a program.

use std::io::{IsTerminal, Write, stdout};
use std::time::{Duration, Instant};

use serde_json::{Map, Value};

/// One thing that happened, with what there is to say about it in the order in which it is to be read.
#[derive(Debug, Default)]
pub(crate) struct Entry {
    name: &'static str,
    fields: Map<String, Value>,
    lines: Vec<String>,
}

impl Entry {
    /// Something called `name` happened.
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, ..Self::default() }
    }

    /// Adds a field for programs.
    pub(crate) fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.fields.insert(key.to_owned(), value.into());
        self
    }

    /// Adds a line for people; the first one stands beside the name.
    pub(crate) fn line(mut self, text: impl Into<String>) -> Self {
        self.lines.push(text.into());
        self
    }
}

/// Where the story is told. Nobody listening is no failure: the demo goes on.
pub(crate) struct Timeline {
    json: bool,
    terminal: bool,
    start: Option<Instant>,
    waiting: bool,
}

impl Timeline {
    /// On standard output.
    pub(crate) fn new(json: bool) -> Self {
        Self { json, terminal: stdout().is_terminal() && !json, start: None, waiting: false }
    }

    /// The modem is plugged in now: times count from here.
    pub(crate) fn start(&mut self) {
        self.start = Some(Instant::now());
    }

    /// Time since the plug; zero before.
    pub(crate) fn elapsed(&self) -> Duration {
        self.start.map(|s| s.elapsed()).unwrap_or_default()
    }

    /// Tells that something happened now.
    pub(crate) fn tell(&mut self, entry: Entry) {
        let milliseconds = u64::try_from(self.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.clear();
        if self.json {
            let mut object = Map::new();
            object.insert("t_ms".into(), milliseconds.into());
            object.insert("event".into(), entry.name.into());
            object.extend(entry.fields);
            print(&format!("{}\n", Value::Object(object)));
            return;
        }
        let (bold, plain) = if self.terminal { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
        let mut lines = entry.lines.iter();
        let first = lines.next().map(String::as_str).unwrap_or_default();
        let mut text = format!("{milliseconds:>6} ms  {bold}{:<12}{plain} {first}\n", entry.name);
        for line in lines {
            text += &format!("{:24}{line}\n", "");
        }
        print(&text);
    }

    /// On a terminal: what is being waited for, until something happens.
    pub(crate) fn waiting(&mut self, what: &str) {
        if self.terminal {
            self.clear();
            print(&format!("           … {what}"));
            self.waiting = true;
        }
    }

    /// Something to read that is no event; not for programs.
    pub(crate) fn remark(&mut self, text: &str) {
        if !self.json {
            self.clear();
            print(&format!("{text}\n"));
        }
    }

    fn clear(&mut self) {
        if self.waiting {
            print("\r\x1b[K");
            self.waiting = false;
        }
    }
}

fn print(text: &str) {
    let mut out = stdout().lock();
    let _ = out.write_all(text.as_bytes());
    let _ = out.flush();
}
