//! Reading the tables in `tests/samples`, and the database of the distribution.
#![allow(dead_code, reason = "not every test file needs all of it")]

/// A table: names of the columns, and rows of as many cells.
pub(crate) struct Table {
    columns: Vec<String>,
    pub(crate) rows: Vec<Row>,
}

/// A row, with the line where it starts.
pub(crate) struct Row {
    pub(crate) line: usize,
    cells: Vec<String>,
}

impl Table {
    /// Reads comma-separated values; quotes as in RFC 4180.
    pub(crate) fn parse(text: &str) -> Self {
        let mut lines = text.lines().enumerate().filter(|(_, line)| !line.is_empty());
        let columns = cells(lines.next().expect("a header").1);
        let rows: Vec<Row> = lines.map(|(line, text)| Row { line: line + 1, cells: cells(text) }).collect();
        for row in &rows {
            assert_eq!(row.cells.len(), columns.len(), "line {}", row.line);
        }
        Self { columns, rows }
    }

    /// The cell of a column that must exist.
    pub(crate) fn get<'a>(&self, row: &'a Row, column: &str) -> &'a str {
        let place = self.columns.iter().position(|name| name == column);
        &row.cells[place.unwrap_or_else(|| panic!("no column {column}"))]
    }
}

fn cells(line: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                cells.last_mut().expect("a cell").push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            other => cells.last_mut().expect("a cell").push(other),
        }
    }
    cells
}

/// Fails with all that went wrong, or says how many rows were good.
#[track_caller]
pub(crate) fn report(table: &str, rows: usize, failures: &[String]) {
    assert!(failures.is_empty(), "{table}: {} of {rows} rows fail\n{}", failures.len(), failures.join("\n"));
    println!("{table}: {rows} rows");
}

const VENDOR: &str = "/usr/share/mobile-broadband-provider-info/serviceproviders.xml";

/// The vendor file; `None` where it is absent and that was allowed.
pub(crate) fn vendor(what: &str) -> Option<Vec<u8>> {
    match std::fs::read(VENDOR) {
        Ok(bytes) => Some(bytes),
        Err(error) => {
            println!("{what} not run: {VENDOR}: {error}");
            let allowed = std::env::var_os("MBIMD_TEST_NO_VENDOR_DB").is_some_and(|value| value == "1");
            assert!(allowed, "{what} not run: {VENDOR} is missing; MBIMD_TEST_NO_VENDOR_DB=1 allows that");
            None
        }
    }
}
