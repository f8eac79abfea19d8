//! The syntax of message patterns: ECMAScript without look-around and back-references, which no
//! engine matches in linear time. Only checked and counted here. [PROV 12.10, 16]

/// Characters of a pattern. [PROV 16]
const MAX_CHARACTERS: usize = 4096;
/// What repetitions may multiply to: an engine unfolds them.
const MAX_COST: u64 = 65_536;
/// Groups inside of each other.
const MAX_DEPTH: usize = 64;

/// Number of capturing groups of a pattern that can be used; else why not.
pub(crate) fn groups(pattern: &str) -> Result<u32, &'static str> {
    if pattern.chars().count() > MAX_CHARACTERS {
        return Err("more than 4096 characters");
    }
    let mut parser = Parser { rest: Rest(pattern.chars()), groups: 0, open: Vec::new(), cost: 0 };
    while let Some(c) = parser.rest.next() {
        parser.term(c)?;
    }
    if !parser.open.is_empty() {
        return Err("unclosed group");
    }
    if parser.cost > MAX_COST {
        return Err("too large once its repetitions are unfolded");
    }
    Ok(parser.groups)
}

/// What is not read yet. Copying it costs nothing, so that one may look ahead.
#[derive(Clone)]
struct Rest<'a>(core::str::Chars<'a>);

impl Rest<'_> {
    fn next(&mut self) -> Option<char> {
        self.0.next()
    }

    fn peek(&self) -> Option<char> {
        self.0.clone().next()
    }

    fn takes(&mut self, wanted: char) -> bool {
        let is_there = self.peek() == Some(wanted);
        if is_there {
            self.next();
        }
        is_there
    }

    fn number(&mut self) -> Option<u64> {
        let mut value = None;
        while let Some(digit) = self.peek().and_then(|c| c.to_digit(10)) {
            self.next();
            value = Some(value.unwrap_or(0_u64).saturating_mul(10).saturating_add(u64::from(digit)));
        }
        value
    }
}

struct Parser<'a> {
    rest: Rest<'a>,
    groups: u32,
    /// Cost of what stands before each open group.
    open: Vec<u64>,
    cost: u64,
}

impl Parser<'_> {
    fn term(&mut self, c: char) -> Result<(), &'static str> {
        match c {
            '|' | '^' | '$' => Ok(()),
            '(' => self.open(),
            ')' => {
                let before = self.open.pop().ok_or("a closing parenthesis without an opening one")?;
                let inner = core::mem::replace(&mut self.cost, before);
                self.repeated(inner)
            }
            '*' | '+' | '?' => Err("nothing to repeat"),
            '[' => {
                self.class()?;
                self.repeated(1)
            }
            '\\' => {
                let is_assertion = matches!(self.rest.peek(), Some('b' | 'B'));
                self.escape(false)?;
                if is_assertion { Ok(()) } else { self.repeated(1) }
            }
            // A brace that begins no repetition is itself, as everywhere on the web.
            _ => self.repeated(1),
        }
    }

    fn open(&mut self) -> Result<(), &'static str> {
        if self.open.len() >= MAX_DEPTH {
            return Err("more than 64 groups inside of each other");
        }
        if self.rest.takes('?') {
            match self.rest.next() {
                Some(':') => {}
                Some('=' | '!') => return Err("look-around"),
                Some('<') if matches!(self.rest.peek(), Some('=' | '!')) => return Err("look-around"),
                _ => return Err("unknown kind of group"),
            }
        } else {
            self.groups += 1;
        }
        self.open.push(core::mem::take(&mut self.cost));
        Ok(())
    }

    /// Counts what was read, as often as it is repeated.
    fn repeated(&mut self, cost: u64) -> Result<(), &'static str> {
        let times = self.quantifier()?;
        self.cost = self.cost.saturating_add(cost.max(1).saturating_mul(times));
        // So that no later product can overflow.
        if self.cost > MAX_COST { Err("too large once its repetitions are unfolded") } else { Ok(()) }
    }

    fn quantifier(&mut self) -> Result<u64, &'static str> {
        let times = match self.rest.peek() {
            Some('*' | '+' | '?') => {
                self.rest.next();
                1
            }
            Some('{') => match self.counted()? {
                Some(times) => times,
                None => return Ok(1),
            },
            _ => return Ok(1),
        };
        self.rest.takes('?');
        if matches!(self.rest.peek(), Some('*' | '+' | '?')) {
            return Err("nothing to repeat");
        }
        Ok(times)
    }

    /// `{n}`, `{n,}` or `{n,m}`; a brace that begins neither stays where it is.
    fn counted(&mut self) -> Result<Option<u64>, &'static str> {
        let mut ahead = self.rest.clone();
        ahead.next();
        let Some(least) = ahead.number() else { return Ok(None) };
        let most = if ahead.takes(',') { ahead.number() } else { Some(least) };
        if ahead.next() != Some('}') {
            return Ok(None);
        }
        self.rest = ahead;
        if most.is_some_and(|most| most < least) {
            return Err("a repetition with its numbers out of order");
        }
        Ok(Some(most.unwrap_or(least).max(least).max(1)))
    }

    /// Behind a backslash; the character where it stands for one, for ranges.
    fn escape(&mut self, in_class: bool) -> Result<Option<char>, &'static str> {
        match self.rest.next().ok_or("a backslash at the end")? {
            'd' | 'D' | 'w' | 'W' | 's' | 'S' => Ok(None),
            'b' if in_class => Ok(Some('\u{8}')),
            'b' | 'B' if !in_class => Ok(None),
            't' => Ok(Some('\t')),
            'n' => Ok(Some('\n')),
            'v' => Ok(Some('\u{b}')),
            'f' => Ok(Some('\u{c}')),
            'r' => Ok(Some('\r')),
            '0' if !self.rest.peek().is_some_and(|c| c.is_ascii_digit()) => Ok(Some('\0')),
            '0'..='9' | 'k' => Err("back-reference"),
            'c' => match self.rest.next() {
                Some(letter) if letter.is_ascii_alphabetic() => Ok(char::from_u32(u32::from(letter) % 32)),
                _ => Err("\\c without a letter"),
            },
            'x' => self.hex(2).map(Some),
            'u' => self.hex(4).map(Some),
            letter if letter.is_alphanumeric() => Err("unknown escape"),
            other => Ok(Some(other)),
        }
    }

    fn hex(&mut self, digits: usize) -> Result<char, &'static str> {
        let mut value = 0;
        for _ in 0..digits {
            let digit = self.rest.next().and_then(|c| c.to_digit(16)).ok_or("too few hexadecimal digits")?;
            value = value * 16 + digit;
        }
        // Half of a pair stands for no character of a text.
        char::from_u32(value).ok_or("half of a UTF-16 pair")
    }

    fn class(&mut self) -> Result<(), &'static str> {
        self.rest.takes('^');
        let mut range_from: Option<char> = None;
        let mut in_range = false;
        loop {
            let c = match self.rest.next().ok_or("unclosed class")? {
                ']' => return Ok(()),
                '\\' => self.escape(true)?,
                '-' if range_from.is_some() && !in_range && self.rest.peek() != Some(']') => {
                    in_range = true;
                    continue;
                }
                c => Some(c),
            };
            match (in_range, range_from, c) {
                (true, Some(from), Some(to)) if from > to => return Err("a range with its ends out of order"),
                (true, ..) => range_from = None,
                (false, ..) => range_from = c,
            }
            in_range = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// PROV-086, PROV-087.
    #[test]
    fn patterns() {
        for (pattern, want) in [
            ("", 0),
            ("[^]*", 0),
            ("[]", 0),
            (r"(\d+[.,]?\d*) ?(MB|GB) of (\d+) ?(MB|GB) used, (\d\d/\d\d/\d{4} \d\d:\d\d)", 5),
            (r"EXM-REFRESH (NOW|LATER)", 1),
            (r"(?:a(b(c)))*?x{2,}y{0,3}?\x41\u0041\cJ\/\.[\]\-a-z\d-]", 2),
            ("a{", 0),
            ("{x}", 0),
            (r"^\bx\B$", 0),
            ("(a|)", 1),
            (r"[\b\0]", 0),
        ] {
            assert_eq!(groups(pattern), Ok(want), "{pattern}");
        }
        for (pattern, want) in [
            (r"(\d+", "unclosed group"),
            ("a)", "a closing"),
            ("[a", "unclosed class"),
            ("*a", "nothing"),
            ("a**", "nothing"),
            ("a{2}{3}", ""),
            ("(?=a)", "look-around"),
            ("(?<!a)", "look-around"),
            ("(?<n>a)", "unknown kind"),
            (r"(a)\1", "back-reference"),
            (r"\k<n>", "back-reference"),
            ("a{3,2}", "a repetition"),
            ("[z-a]", "a range"),
            (r"\q", "unknown escape"),
            ("\\", "a backslash"),
            (r"\u12", "too few"),
            (r"\ud800", "half"),
            ("(((a{100}){100}){100})", "too large"),
            ("(a{99999999999999999999}){99999999999999999999}", "too large"),
        ] {
            let found = groups(pattern);
            assert!(want.is_empty() || found.is_err_and(|error| error.starts_with(want)), "{pattern}: {found:?}");
        }
        assert!(groups(&"(".repeat(4096)).is_err());
        assert!(groups(&"a".repeat(4097)).is_err());
        assert!(groups(&"(?:".repeat(64)).is_err_and(|error| error == "unclosed group"));
    }
}
