//! The directory. [MBIM1.0 10.5]

use std::collections::BTreeMap;

/// Names and numbers by their places, which count from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phonebook {
    /// Number and name by place.
    pub entries: BTreeMap<u32, (String, String)>,
    /// Places that there are.
    pub places: u32,
    /// Most characters of a number.
    pub longest_number: u32,
    /// Most characters of a name.
    pub longest_name: u32,
}

impl Default for Phonebook {
    /// A card's usual 250 places with two entries, one of them not in ASCII.
    fn default() -> Self {
        let entry = |place, number: &str, name: &str| (place, (number.to_owned(), name.to_owned()));
        Self {
            entries: [entry(1, "+15550100", "Ada"), entry(3, "5550101", "Zoë")].into(),
            places: 250,
            longest_number: 20,
            longest_name: 18,
        }
    }
}

/// Why an entry is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Number or name are longer than there is room.
    TooLong,
    /// There is no such place.
    NoSuchPlace,
    /// All places are taken.
    Full,
}

impl Phonebook {
    /// Writes an entry at a place, or at the first free one.
    pub(crate) fn write(&mut self, place: Option<u32>, number: String, name: String) -> Result<(), Refusal> {
        let long = |text: &str, most: u32| text.chars().count() > most as usize;
        if long(&number, self.longest_number) || long(&name, self.longest_name) {
            return Err(Refusal::TooLong);
        }
        let place = match place {
            Some(place) if (1..=self.places).contains(&place) => place,
            Some(_) => return Err(Refusal::NoSuchPlace),
            None => (1..=self.places).find(|place| !self.entries.contains_key(place)).ok_or(Refusal::Full)?,
        };
        self.entries.insert(place, (number, name));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_free_place_is_found_until_there_is_none() {
        let mut book = Phonebook { places: 3, ..Phonebook::default() };
        let write = |book: &mut Phonebook, place| book.write(place, "1".into(), "A".into());
        assert_eq!(write(&mut book, None), Ok(()));
        assert_eq!(book.entries.keys().copied().collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(write(&mut book, None), Err(Refusal::Full));
        assert_eq!(write(&mut book, Some(3)), Ok(()), "overwritten");
        assert_eq!(write(&mut book, Some(4)), Err(Refusal::NoSuchPlace));
        assert_eq!(write(&mut book, Some(0)), Err(Refusal::NoSuchPlace));
        assert_eq!(book.write(None, "1".repeat(21), String::new()), Err(Refusal::TooLong));
    }
}
