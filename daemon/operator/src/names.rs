//! How names of operators are kept and compared. `[OPER 1.2, 3.5]`

use icu_casemap::CaseMapper;
use icu_normalizer::ComposingNormalizer;
use icu_properties::props::{EnumeratedProperty, GeneralCategory, GeneralCategoryGroup};

/// Normalisation form C: how a name is kept and hashed.
pub(crate) fn nfc(name: &str) -> String {
    if name.is_ascii() {
        return name.to_owned();
    }
    ComposingNormalizer::new_nfc().normalize(name).into_owned()
}

/// What is compared: compatibility forms and case levelled, letters and decimal digits only. A name of which nothing is
/// left equals nothing.
pub(crate) fn fold(name: &str) -> String {
    if name.is_ascii() {
        return name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    }
    let compatible = ComposingNormalizer::new_nfkc().normalize(name);
    let folded = CaseMapper::new().fold_string(&compatible);
    folded.chars().filter(|character| is_letter_or_digit(*character)).collect()
}

/// The names that a record's name stands for: the whole, the part before the first `" ("`, the part between the first
/// `"("` and the next `")"`, and each side of each slash of the whole.
pub(crate) fn aliases(name: &str) -> impl Iterator<Item = &str> {
    let before = name.split_once(" (").map(|(before, _)| before);
    let within = name.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map(|(within, _)| within);
    let sides = name.contains('/').then(|| name.split('/')).into_iter().flatten();
    core::iter::once(name).chain(before).chain(within).chain(sides)
}

fn is_letter_or_digit(character: char) -> bool {
    let category = GeneralCategory::for_char(character);
    GeneralCategoryGroup::Letter.contains(category) || category == GeneralCategory::DecimalNumber
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_levels_case_width_and_marks() {
        assert_eq!(fold("AldiTalk"), fold("ALDI TALK"));
        assert_eq!(fold("Weißfunk"), "weissfunk");
        assert_eq!(fold("Ｃｏｎｔｏｓｏ　２"), "contoso2");
        assert_eq!(fold("ΣΊΣΥΦΟΣ"), fold("σίσυφος"));
        assert_eq!(fold("楽天モバイル"), "楽天モバイル");
        assert_eq!(fold("e\u{301}tat"), fold("\u{e9}TAT"));
        // Numbers that are not decimal digits are no part of a name.
        assert_eq!(fold("Ⅷ½x"), "viii12x");
        assert_eq!(fold("+-"), "");
        assert_eq!(fold("O₂"), fold("o2"));
    }

    #[test]
    fn aliases_do_not_stack() {
        let of = |name| aliases(name).collect::<Vec<_>>();
        assert_eq!(of("Andorra Telecom (Mobiland)"), ["Andorra Telecom (Mobiland)", "Andorra Telecom", "Mobiland"]);
        assert_eq!(of("AldiTalk/MedionMobile"), ["AldiTalk/MedionMobile", "AldiTalk", "MedionMobile"]);
        assert_eq!(of("T-Mobile(Telekom)"), ["T-Mobile(Telekom)", "Telekom"]);
        assert_eq!(of("Plain"), ["Plain"]);
        assert_eq!(of("A (B) (C)"), ["A (B) (C)", "A", "B"]);
        assert_eq!(of("A (B/C)"), ["A (B/C)", "A", "B/C", "A (B", "C)"]);
        assert_eq!(of("A (B"), ["A (B", "A"]);
    }
}
