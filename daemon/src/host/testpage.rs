//! The page with which NetworkManager on this machine tests connectivity: whoever set the machine up has chosen it, and so it goes
//! before the one that is packaged with the daemon. Only read, from NetworkManager's configuration files. `[OPER-106]`

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::http::Url;

/// Folders of snippets below the root, in the order in which they are read, each by the names of its files; the main file is
/// read before the last of them. What comes later wins, and a snippet hides those with the same name in the folders before.
/// `[NetworkManager.conf(5), DESCRIPTION]`
const FOLDERS: [&str; 3] = ["usr/lib/NetworkManager/conf.d", "run/NetworkManager/conf.d", "etc/NetworkManager/conf.d"];
const MAIN: &str = "etc/NetworkManager/NetworkManager.conf";
/// What was switched over NetworkManager's own bus; read last. A key in it begins with `.set.`, and holds as long as the
/// other files say what they said then, which stands under `.was.`. Where its folder is root's alone it says nothing.
const INTERN: &str = "var/lib/NetworkManager/NetworkManager-intern.conf";
/// Largest file that is read, octets.
const MAX_FILE: u64 = 64 * 1024;
/// Most files of a folder.
const MAX_FILES: usize = 64;
/// Longest text that a page is to consist of, octets.
const MAX_BODY: usize = 4096;
/// What NetworkManager expects where it is not told.
const USUAL: &str = "NetworkManager is online";

/// A page and what it is to consist of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) url: String,
    pub(crate) body: String,
}

/// The page in force; `None` where there is none, or none that can be fetched in the clear.
pub(crate) fn page(root: &Path) -> Option<Page> {
    let mut snippets: BTreeMap<std::ffi::OsString, (usize, PathBuf)> = BTreeMap::new();
    for (place, folder) in FOLDERS.iter().enumerate() {
        snippets.extend(files(&root.join(folder)).map(|(name, path)| (name, (place, path))));
    }
    let last = FOLDERS.len() - 1;
    let of_folder = |wanted: usize| {
        let found = snippets.values().filter(move |(place, _)| *place == wanted);
        found.map(|(_, path)| path.clone())
    };
    let files = (0..last).flat_map(of_folder).chain([root.join(MAIN)]).chain(of_folder(last));
    let mut said = Said::default();
    for file in files {
        said.read(&text(&file));
    }
    said.switched(&text(&root.join(INTERN)));
    // An interval of 0 switches it off as well.
    if said.enabled == Some(false) || said.interval == Some(0) {
        return None;
    }
    let url = said.uri.filter(|uri| Url::parse(uri).is_some_and(|url| url.scheme() == "http"))?;
    let body = said.response.unwrap_or_else(|| USUAL.to_owned());
    (body.len() <= MAX_BODY).then_some(Page { url, body })
}

fn files(folder: &Path) -> impl Iterator<Item = (std::ffi::OsString, PathBuf)> {
    let found = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut found: Vec<PathBuf> = found.filter(|path| path.extension().is_some_and(|e| e == "conf")).collect();
    found.sort();
    found.truncate(MAX_FILES);
    found.into_iter().filter_map(|path| Some((path.file_name()?.to_owned(), path)))
}

/// What cannot be read says nothing.
fn text(file: &Path) -> String {
    let mut octets = Vec::new();
    let read = std::fs::File::open(file).and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut octets));
    match read {
        Ok(size) if size as u64 <= MAX_FILE => String::from_utf8(octets).unwrap_or_default(),
        _ => String::new(),
    }
}

/// Values of the section `connectivity`.
#[derive(Debug, Default)]
struct Said {
    enabled: Option<bool>,
    interval: Option<u32>,
    uri: Option<String>,
    response: Option<String>,
}

impl Said {
    fn read(&mut self, text: &str) {
        // A file can switch itself off.
        if pairs(text, ".config").any(|(key, value)| key == "enable" && !is_on(value)) {
            return;
        }
        for (key, value) in pairs(text, "connectivity") {
            match key {
                "enabled" => self.enabled = Some(is_on(value)),
                "interval" => self.interval = value.parse().ok(),
                "uri" => self.uri = Some(value.to_owned()),
                "response" => self.response = Some(value.to_owned()),
                _ => {}
            }
        }
    }

    /// The file of what was switched: only `enabled` is, over the bus.
    fn switched(&mut self, text: &str) {
        let of = |wanted: &str| {
            let found = pairs(text, "connectivity").filter(|(key, _)| *key == wanted).last();
            found.map(|(_, value)| is_on(value))
        };
        if let Some(on) = of(".set.enabled").filter(|_| of(".was.enabled") == self.enabled) {
            self.enabled = Some(on);
        }
    }
}

/// Keys and values of a section.
fn pairs<'a>(text: &'a str, section: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
    let mut inside = false;
    text.lines().map(str::trim).filter_map(move |line| {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            inside = name == section;
            return None;
        }
        let (key, value) = line.split_once('=').filter(|_| inside && !line.starts_with(['#', ';']))?;
        Some((key.trim(), value.trim()))
    })
}

fn is_on(value: &str) -> bool {
    !matches!(value, "false" | "0" | "no" | "off")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(files: &[(&str, &str)]) -> Option<Page> {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let file = root.path().join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        }
        page(root.path())
    }

    fn found(url: &str, body: &str) -> Option<Page> {
        Some(Page { url: url.to_owned(), body: body.to_owned() })
    }

    const DISTRIBUTION: (&str, &str) = (
        "usr/lib/NetworkManager/conf.d/20-connectivity.conf",
        "# a distribution's\n[connectivity]\nuri=http://test.example/nm\ninterval=300\n",
    );

    #[test]
    fn the_snippet_that_counts() {
        assert_eq!(machine(&[]), None);
        assert_eq!(machine(&[DISTRIBUTION]), found("http://test.example/nm", USUAL));
        let own =
            ("etc/NetworkManager/conf.d/10-own.conf", "[main]\nuri=http://x/\n[connectivity]\nresponse = hello \n");
        assert_eq!(machine(&[DISTRIBUTION, own]), found("http://test.example/nm", "hello"));
        let main = (MAIN, "[connectivity]\nuri=http://main.example/\nresponse=\n");
        assert_eq!(machine(&[DISTRIBUTION, main]), found("http://main.example/", ""));
        assert_eq!(machine(&[DISTRIBUTION, main, own]), found("http://main.example/", "hello"));
        // A file of the same name hides the distribution's, which is how it is switched off.
        let hides = ("etc/NetworkManager/conf.d/20-connectivity.conf", "");
        assert_eq!(machine(&[DISTRIBUTION, hides]), None);
        let off = (MAIN, "[connectivity]\nenabled=false\n");
        assert_eq!(machine(&[DISTRIBUTION, off]), None);
        let runtime = ("run/NetworkManager/conf.d/30-run.conf", "[connectivity]\nuri=http://run.example/\n");
        assert_eq!(machine(&[DISTRIBUTION, runtime]), found("http://run.example/", USUAL));
        // The folder counts before the name.
        let late = ("usr/lib/NetworkManager/conf.d/90-late.conf", "[connectivity]\nuri=http://late.example/\n");
        assert_eq!(machine(&[DISTRIBUTION, late]), found("http://late.example/", USUAL));
        assert_eq!(machine(&[DISTRIBUTION, late, runtime]), found("http://run.example/", USUAL));
        let hidden = ("run/NetworkManager/conf.d/90-late.conf", "");
        assert_eq!(machine(&[DISTRIBUTION, late, hidden]), found("http://test.example/nm", USUAL));
        // Files that switch themselves, or it, off.
        let itself = (
            "etc/NetworkManager/conf.d/90-late.conf",
            "[.config]\nenable=false\n[connectivity]\nuri=http://x.example/\n",
        );
        assert_eq!(machine(&[DISTRIBUTION, itself]), found("http://test.example/nm", USUAL));
        let never = ("etc/NetworkManager/conf.d/95.conf", "[connectivity]\ninterval=0\n");
        assert_eq!(machine(&[DISTRIBUTION, never]), None);
        // Switched over the bus, for as long as the files say what they said.
        let switched = (INTERN, "[connectivity]\n.set.enabled=false\n");
        assert_eq!(machine(&[DISTRIBUTION, switched]), None);
        let on = (MAIN, "[connectivity]\nenabled=true\n");
        assert_eq!(machine(&[DISTRIBUTION, on, switched]), found("http://test.example/nm", USUAL));
        let again = (INTERN, "[connectivity]\n.set.enabled=true\n.was.enabled=false\n");
        assert_eq!(machine(&[DISTRIBUTION, off, again]), found("http://test.example/nm", USUAL));
    }

    #[test]
    fn what_cannot_be_used_is_none() {
        let with = |text: &str| machine(&[(MAIN, text)]);
        for text in [
            "[connectivity]\nuri=https://test.example/\n",
            "[connectivity]\nuri=\n",
            "[connectivity]\nuri=file:///etc/passwd\n",
            "[connectivity]\n#uri=http://x.example/\n;uri=http://y.example/\n",
            "uri=http://x.example/\n",
            "[connectivity",
        ] {
            assert_eq!(with(text), None, "{text}");
        }
        let long = format!("[connectivity]\nuri=http://x.example/\nresponse={}\n", "x".repeat(MAX_BODY + 1));
        assert_eq!(with(&long), None);
        assert_eq!(with(&"[connectivity]\nuri=http://x.example/\n".repeat(4000)), None, "larger than any such file");
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join(MAIN);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, b"[connectivity]\nuri=http://x.example/\n\xff").unwrap();
        assert_eq!(page(root.path()), None, "no text");
        std::fs::remove_file(&file).unwrap();
        std::fs::create_dir(&file).unwrap();
        assert_eq!(page(root.path()), None, "a folder in the way");
    }
}
