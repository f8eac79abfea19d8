//! What names a person is shown with its first five and last two places only.

/// Identities that were met in clear text, to be masked wherever they would be shown.
#[derive(Default)]
pub(crate) struct Mask(Vec<String>);

impl Mask {
    /// The hand-over URL as it may be shown; its parameters are remembered.
    pub(crate) fn url(&mut self, url: &str) -> String {
        let (_, query) = url.split_once('?').unwrap_or((url, ""));
        let query = query.split('#').next().unwrap_or_default();
        for (name, value) in query.split('&').filter_map(|p| p.split_once('=')) {
            if ["SubId", "DevId", "IccId"].contains(&name) && !self.0.iter().any(|known| known == value) {
                self.0.push(value.to_owned());
            }
        }
        self.text(url)
    }

    /// A text with everything masked that was remembered.
    pub(crate) fn text(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, known| text.replace(known.as_str(), &masked(known)))
    }
}

fn masked(value: &str) -> String {
    let places = value.chars().count();
    value.chars().enumerate().map(|(i, c)| if i < 5 || i + 2 >= places { c } else { '*' }).collect()
}

#[cfg(test)]
mod tests {
    use super::Mask;

    #[test]
    fn identities_are_masked_everywhere() {
        let mut mask = Mask::default();
        let url = mask.url("https://portal.example/start?a=1&SubId=001015512345678&DevId=490154203237518#top");
        assert_eq!(url, "https://portal.example/start?a=1&SubId=00101********78&DevId=49015********18#top");
        assert_eq!(mask.text("<Subscriber>001015512345678</Subscriber>"), "<Subscriber>00101********78</Subscriber>");
    }
}
