//! What stands under `docs/generated` is what the code says. `MBIMD_BLESS=1 cargo test -p tidy` writes it anew.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test reports by panicking")]

use std::fmt::Write as _;

fn fresh(file: &str, wanted: &str) {
    let path = tidy::root().join("docs/generated").join(file);
    if std::env::var_os("MBIMD_BLESS").is_some() {
        std::fs::write(&path, wanted).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == wanted, "docs/generated/{file} is out of date: run MBIMD_BLESS=1 cargo test -p tidy");
}

#[test]
fn coverage_of_the_wire() {
    let mut text = String::from(
        "# What mbim-proto can say\n\nMade from the registry; do not edit. Every body below is round-tripped, truncated at every offset and mutated by its\n\
         property test, and reached by the fuzz target `message`: all three come from the declaration. The last columns say\n\
         whether an outsider reads each of its fields as we wrote it: Wireshark ([where it does not](../wireshark.md)) and\n\
         libmbim ([where it does not](../libmbim.md)), of those releases that it knows.\n\n\
         | Service | CID | Command | Body | Sent as | Since MBIMEx | Clause | Wireshark | libmbim |\n|---|---|---|---|---|---|---|---|---|\n",
    );
    let page = |name: &str| std::fs::read_to_string(tidy::root().join("docs").join(name)).unwrap();
    let (wireshark, libmbim) = (page("wireshark.md"), page("libmbim.md"));
    let unread = |page: &str, body: &str| {
        let whole =
            |row: &str| row.starts_with(&format!("| `{body}` |")) && row.split('|').nth(2).unwrap().contains("`*`");
        page.lines().any(whole)
    };
    let says = |read: bool| if read { "yes" } else { "–" };
    for row in mbim_proto::registry::rows() {
        let service = mbim_proto::service::uuid_name(row.service)
            .map_or_else(|| row.service.to_string(), |name| name.to_string());
        let sent: Vec<&str> = row.operations.iter().map(|operation| operation.name()).collect();
        let since = row.since.bcd() >> 8;
        let _ = writeln!(
            text,
            "| {service} | {} | {} | {} | {} | {since}.0 | {} | {} | {} |",
            row.cid,
            row.cid_name,
            row.body,
            sent.join(", "),
            row.clause(),
            says(!unread(&wireshark, row.body)),
            says(since <= 3 && !unread(&libmbim, row.body)),
        );
    }
    fresh("mbim-coverage.md", &text);
}

#[test]
fn drawings_of_the_state_tables() {
    let mut text = String::from(
        "# State tables\n\nMade from `daemon/core/src/modem/tables.rs`; do not edit. Render with `dot -Tsvg`.\n",
    );
    for (name, dot) in daemon_core::modem::drawings() {
        let _ = write!(text, "\n## {name}\n\n```dot\n{}\n```\n", dot.trim_end());
    }
    fresh("states.md", &text);
}

#[test]
fn schema_of_provisioning_documents() {
    let mut text = String::from(
        "# Schema of account-provisioning documents\n\nMade from the rule table of `daemon/provisioning`; do not edit. `cc.xsd` declares \
         the root and imports the others:\n\n    xmllint --nonet --noout --schema cc.xsd DOCUMENT\n\n\
         `tests/run provisioning` holds the daemon's own walker against `xmllint` with these files. What XML Schema cannot say, \
         and\nthe daemon nevertheless holds or accepts:\n\n",
    );
    for rest in daemon_provisioning::unsaid() {
        let _ = writeln!(text, "- {rest}");
    }
    fresh("provisioning/README.md", &text);
    for file in daemon_provisioning::xsd() {
        fresh(&format!("provisioning/{}", file.name), &file.text);
    }
}
