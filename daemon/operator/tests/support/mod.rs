//! Reading the tables in `tests/samples`.

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
