//! QR codes in characters, for screens without pictures: a telephone's camera takes the page over.

use std::fmt::Write as _;
use std::io::IsTerminal as _;

use qrcode::{EcLevel, QrCode};

use crate::failure::Failure;

/// Light modules around the code, as cameras want them.
const QUIET: usize = 4;

/// A code as rows of modules, dark ones true, with the quiet zone.
#[derive(Debug)]
pub(crate) struct Qr(Vec<Vec<bool>>);

impl Qr {
    /// The code of a text; fails for one that is too long for any code.
    pub(crate) fn of(text: &str) -> Result<Self, Failure> {
        let code = QrCode::with_error_correction_level(text, EcLevel::L)
            .map_err(|_| Failure::failed("the URL is too long for a QR code"))?;
        let width = code.width();
        let side = width + 2 * QUIET;
        let mut rows = vec![vec![false; side]; side];
        for (row, line) in rows.iter_mut().skip(QUIET).zip(code.into_colors().chunks(width)) {
            for (module, colour) in row.iter_mut().skip(QUIET).zip(line) {
                *module = *colour == qrcode::Color::Dark;
            }
        }
        Ok(Self(rows))
    }

    /// Two rows a line, the light modules drawn: right on a dark screen, as consoles are. `colours`: said so, for terminals
    /// that are light.
    pub(crate) fn text(&self, colours: bool) -> String {
        let (before, after) = if colours { ("\x1b[97;40m", "\x1b[0m") } else { ("", "") };
        let mut out = String::new();
        for pair in self.0.chunks(2) {
            let [upper, lower] = [0, 1].map(|at| pair.get(at).map_or(&[][..], Vec::as_slice));
            let line: String = upper
                .iter()
                .enumerate()
                .map(|(at, above)| match (above, lower.get(at).copied().unwrap_or(true)) {
                    (false, false) => '█',
                    (false, true) => '▀',
                    (true, false) => '▄',
                    (true, true) => ' ',
                })
                .collect();
            // Writing to a text does not fail.
            let _ = writeln!(out, "{before}{line}{after}");
        }
        out
    }

    /// As [`Self::text`], for standard output.
    pub(crate) fn for_output(&self) -> String {
        self.text(std::io::stdout().is_terminal())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads the characters as a camera would: eight dots a module, decoded by another library.
    fn seen(text: &str) -> String {
        let text = text.replace("\x1b[97;40m", "").replace("\x1b[0m", "");
        let light = |c: char, lower: bool| matches!((c, lower), ('█', _) | ('▀', false) | ('▄', true));
        let rows: Vec<Vec<bool>> = text
            .lines()
            .flat_map(|line| [false, true].map(|lower| line.chars().map(|c| light(c, lower)).collect()))
            .collect();
        let width = rows[0].len();
        let dot = |x: usize, y: usize| if rows[y / 8][x / 8] { 255 } else { 0 };
        let mut image = rqrr::PreparedImage::prepare_from_greyscale(width * 8, rows.len() * 8, dot);
        let found = image.detect_grids();
        assert_eq!(found.len(), 1, "one code");
        found[0].decode().unwrap().1
    }

    #[test]
    fn another_library_reads_what_is_drawn() {
        let long = format!("https://portal.example/start?SubId=001015512345678&x={}", "a1b2".repeat(490));
        for url in [
            "https://portal.contoso.example/start?SubId=001015512345678&DevId=490154203237518&IccId=8999000000000000017",
            "https://x.example/",
            "https://x.example/%C3%BC#anchor?",
            &long[..2048.min(long.len())],
        ] {
            let qr = Qr::of(url).unwrap();
            assert_eq!(seen(&qr.text(false)), url);
            assert_eq!(seen(&qr.text(true)), url);
        }
    }

    #[test]
    fn what_no_code_can_hold_is_refused() {
        assert!(Qr::of(&"x".repeat(4000)).is_err());
    }
}
