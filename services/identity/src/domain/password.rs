//! Which passwords may be chosen (OWASP ASVS 2.1).

use std::collections::HashSet;
use std::sync::LazyLock;

/// What everybody tries first. The longest passwords of the list that Django ships
/// (django/contrib/auth/common-passwords.txt.gz, by Royce Williams); shorter ones are
/// refused for their length.
static COMMON: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| include_str!("../../data/common-passwords.txt").lines().collect());

/// Whether somebody who guesses would try it first: it is on the list, or it is what
/// the account says anyway.
pub fn is_common(password: &str, email: &str, display_name: &str) -> bool {
    let password = password.trim().to_lowercase();
    let local_part = email.split('@').next().unwrap_or_default();
    let own = [email, local_part, display_name];
    own.iter().any(|own| own.to_lowercase() == password)
        || COMMON.contains(password.as_str())
        || is_one_character(&password)
}

fn is_one_character(password: &str) -> bool {
    let mut characters = password.chars();
    let first = characters.next();
    characters.all(|character| Some(character) == first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_passwords_and_ones_own_name_are_refused_in_any_case() {
        let common = |password| is_common(password, "ada.lovelace@example.com", "Augusta Ada King");
        for password in [
            "1234567890",
            "Password123",
            "qwertyuiop",
            "ADA.lovelace",
            "augusta ada king",
            "aaaaaaaaaa",
        ] {
            assert!(common(password), "{password}");
        }
        assert!(!common("correct horse battery"));
    }

    #[test]
    fn the_list_has_what_is_long_enough_to_be_chosen() {
        assert!(COMMON.len() > 300, "{}", COMMON.len());
        let odd: Vec<_> =
            COMMON.iter().filter(|p| p.chars().count() < 10 || **p != p.to_lowercase()).collect();
        assert!(odd.is_empty(), "{odd:?}");
    }
}
