//! Notifications, the occasions for them, and the rules of delivery.

pub mod delivery;
pub mod link;
pub mod notification;
pub mod occasion;
pub mod security;

pub use delivery::{DeliveryState, Patience, Verdict};
pub use link::PublicUrl;
pub use notification::{Contact, Kind, Notification, Preferences, Text};
pub use occasion::{Line, Occasion};
pub use security::SecurityEvent;

/// The text on one line, without what could end a mail header or hide in a
/// terminal: every run of white space and control characters becomes one space.
pub fn one_line(text: &str) -> String {
    let hidden = |c: char| c.is_control() || is_format(c);
    let spaced: String = text.chars().map(|c| if hidden(c) { ' ' } else { c }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Characters that turn the direction of text around (Unicode Technical Report 36,
/// section 2.5): a name must not rearrange the sentence around it.
fn is_format(c: char) -> bool {
    matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::one_line;

    #[test]
    fn a_name_stays_on_its_line() {
        assert_eq!(one_line("Ada\r\nBcc: all@example.com"), "Ada Bcc: all@example.com");
        assert_eq!(one_line(" a\0b\u{2028}c\u{85}d\u{202E}e "), "a b c d e");
    }

    #[test]
    fn an_honest_name_is_left_alone() {
        assert_eq!(one_line("Zoë 'Ада' O’Neill-王"), "Zoë 'Ада' O’Neill-王");
    }
}
