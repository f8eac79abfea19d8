//! A folder of trust (`trust-dir`): what its files mean. Who reads the folder hands them in. [PROV 12.3]
//!
//! `NAME.pem` or `NAME.crt`: certificates of roots. `NAME.ev` beside it marks them for extended validation, each line a policy
//! (none: the CA/Browser Forum's). `NAME.crl`: revocation lists. `NAME.toml`: signers whose documents need no question, by
//! the names in their certificates.

use core::fmt;

use daemon_provisioning::TrustedCertificate;
use serde::Deserialize;

use crate::certificate::{EXTENDED_VALIDATION, Root, certificates_in, revocation_lists_in};

/// What a folder says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Folder {
    /// Roots, in the order of the files' names.
    pub roots: Vec<Root>,
    /// Revocation lists, DER.
    pub revocation_lists: Vec<Vec<u8>>,
    /// Signers that are named.
    pub named: Vec<Named>,
}

/// Signers that operator data name, one operator's in a file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Named {
    /// The operator whose documents they may sign; absent: anyone's.
    pub carrier_id: Option<String>,
    /// Their certificates.
    #[serde(rename = "certificate")]
    pub certificates: Vec<TrustedCertificate>,
}

/// A file that says nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderProblem {
    /// Name of the file.
    pub file: String,
    /// Why, for people.
    pub problem: String,
}

impl fmt::Display for FolderProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file, self.problem)
    }
}

/// Whether a file of this name means anything.
#[must_use]
pub fn is_of_trust(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, extension)| ["pem", "crt", "ev", "crl", "toml"].contains(&extension))
}

impl Folder {
    /// Reads files by name and content. A file that cannot be understood trusts nobody and is told.
    #[must_use]
    pub fn read(files: &[(String, Vec<u8>)]) -> (Self, Vec<FolderProblem>) {
        let (mut found, mut problems) = (Self::default(), Vec::new());
        for (name, content) in files {
            let mut problem = |what: String| problems.push(FolderProblem { file: name.clone(), problem: what });
            let Some((stem, extension)) = name.rsplit_once('.') else { continue };
            let text = String::from_utf8_lossy(content);
            match extension {
                "pem" | "crt" => {
                    let certificates = certificates_in(&text);
                    if certificates.is_empty() {
                        problem("no certificate (PEM) in it".to_owned());
                    }
                    let marks = files.iter().find(|(other, _)| other.strip_suffix(".ev") == Some(stem));
                    let marks = marks.map(|(_, marks)| policies(&String::from_utf8_lossy(marks))).unwrap_or_default();
                    let root = |der| Root { der, extended_validation: marks.clone() };
                    found.roots.extend(certificates.into_iter().map(root));
                }
                "crl" => {
                    let lists = revocation_lists_in(&text);
                    if lists.is_empty() {
                        problem("no revocation list (PEM) in it".to_owned());
                    }
                    found.revocation_lists.extend(lists);
                }
                "toml" => match toml::from_str(&text) {
                    Ok(named) => found.named.push(named),
                    Err(error) => problem(error.to_string()),
                },
                _ => {}
            }
        }
        (found, problems)
    }
}

/// Policies that mean extended validation under a root.
fn policies(text: &str) -> Vec<String> {
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    let policies: Vec<String> = lines.filter(|line| !line.is_empty()).map(str::to_owned).collect();
    if policies.is_empty() { vec![EXTENDED_VALIDATION.to_owned()] } else { policies }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_files_mean() {
        let pem = |label: &str, body: &str| format!("text\n-----BEGIN {label}-----\n{body}\n-----END {label}-----\n");
        let certificate = "[[certificate]]\nsubject = 'CN=s'\nissuer = 'CN=i'\n";
        let files: Vec<(String, Vec<u8>)> = [
            ("a.ev", String::new()),
            ("a.pem", pem("CERTIFICATE", "AAAA") + &pem("CERTIFICATE", "BBBB")),
            ("b.crt", pem("CERTIFICATE", "CCCC")),
            ("b.ev", "# those of this authority\n1.2.3 # theirs\n\n1.2.4\n".to_owned()),
            ("c.pem", pem("CERTIFICATE", "DDDD")),
            ("d.pem", "nothing".to_owned()),
            ("e.crl", pem("X509 CRL", "EEEE")),
            ("f.txt", pem("CERTIFICATE", "FFFF")),
            ("g.toml", format!("carrier-id = '{{a}}'\n{certificate}{certificate}")),
            ("h.toml", certificate.to_owned()),
            ("i.toml", "[[certificate]]\nsubject = 'CN=s'\n".to_owned()),
            ("j.toml", format!("colour = 1\n{certificate}")),
        ]
        .map(|(name, text)| (name.to_owned(), text.into_bytes()))
        .into();
        let (found, problems) = Folder::read(&files);
        let marks: Vec<_> = found.roots.iter().map(|root| root.extended_validation.join(" ")).collect();
        assert_eq!(marks, [EXTENDED_VALIDATION, EXTENDED_VALIDATION, "1.2.3 1.2.4", ""]);
        assert_eq!((found.roots[2].der.as_slice(), found.revocation_lists), (&[8, 32, 130][..], vec![vec![16, 65, 4]]));
        let told: Vec<_> = found.named.iter().map(|n| (n.carrier_id.as_deref(), n.certificates.len())).collect();
        assert_eq!(told, [(Some("{a}"), 2), (None, 1)]);
        let bad: Vec<_> = problems.iter().map(|problem| problem.file.as_str()).collect();
        assert_eq!(bad, ["d.pem", "i.toml", "j.toml"]);
    }
}
