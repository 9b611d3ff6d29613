//! What the comments of `proto/` say, as text for readers.

use prost_reflect::FileDescriptor;

/// The comment before an element, lines joined to paragraphs; empty when it has none.
pub(super) fn of(file: &FileDescriptor, path: &[i32]) -> String {
    let info = file.file_descriptor_proto().source_code_info.as_ref();
    let locations = info.map(|info| info.location.as_slice()).unwrap_or_default();
    let found = locations.iter().find(|location| location.path == path);
    let comment = found.and_then(|location| location.leading_comments.as_deref());
    let paragraphs = comment.unwrap_or_default().split("\n\n").map(paragraph);
    paragraphs.filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n\n")
}

fn paragraph(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The first sentence, without its full stop.
pub(super) fn first_sentence(text: &str) -> &str {
    let paragraph = text.split("\n\n").next().unwrap_or_default();
    let sentence = paragraph.split_once(". ").map_or(paragraph, |(first, _)| first);
    sentence.trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_sentence_ends_at_its_full_stop() {
        assert_eq!(first_sentence("One product. It is new."), "One product");
        assert_eq!(first_sentence("One product.\n\nMore."), "One product");
        assert_eq!(first_sentence(""), "");
    }
}
