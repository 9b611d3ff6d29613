//! What the contract says in words: the comments before its elements.

use prost_reflect::{
    EnumDescriptor, EnumValueDescriptor, FieldDescriptor, FileDescriptor, MessageDescriptor,
    MethodDescriptor, ServiceDescriptor,
};

/// The comment before a service.
pub(crate) fn of_service(service: &ServiceDescriptor) -> String {
    leading(&service.parent_file(), service.path())
}

/// The comment before a method.
pub(crate) fn of_method(method: &MethodDescriptor) -> String {
    leading(&method.parent_service().parent_file(), method.path())
}

/// The comment before a message.
pub(crate) fn of_message(message: &MessageDescriptor) -> String {
    leading(&message.parent_file(), message.path())
}

/// The comment before a field.
pub(crate) fn of_field(field: &FieldDescriptor) -> String {
    leading(&field.parent_message().parent_file(), field.path())
}

/// The comment before an enum.
pub(crate) fn of_enum(descriptor: &EnumDescriptor) -> String {
    leading(&descriptor.parent_file(), descriptor.path())
}

/// The comment before a value of an enum.
pub(crate) fn of_value(value: &EnumValueDescriptor) -> String {
    leading(&value.parent_enum().parent_file(), value.path())
}

/// The first sentence of a comment, without its full stop.
pub(crate) fn first_sentence(text: &str) -> &str {
    let paragraph = text.split("\n\n").next().unwrap_or_default();
    let sentence = paragraph.split_once(". ").map_or(paragraph, |(first, _)| first);
    sentence.trim_end_matches('.')
}

/// The leading comment of the element at a path of its file: paragraphs apart by
/// an empty line, the lines of each joined.
fn leading(file: &FileDescriptor, path: &[i32]) -> String {
    let proto = file.file_descriptor_proto();
    let locations = proto.source_code_info.iter().flat_map(|info| &info.location);
    let comment = locations.filter(|l| l.path == path).find_map(|l| l.leading_comments.as_deref());
    let lines: Vec<&str> = comment.unwrap_or_default().lines().map(str::trim).collect();
    let paragraphs = lines.split(|line| line.is_empty()).filter(|lines| !lines.is_empty());
    paragraphs.map(|lines| lines.join(" ")).collect::<Vec<_>>().join("\n\n")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::Path;

    use super::*;

    #[test]
    fn every_method_message_and_field_says_what_it_is() {
        let contract = crate::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).unwrap();
        for (_, method) in contract.methods() {
            assert!(!of_method(&method.descriptor).is_empty(), "{}", method.path);
        }
        for message in contract.files().flat_map(|f| f.messages().collect::<Vec<_>>()) {
            assert!(!of_message(&message).is_empty(), "{}", message.full_name());
            for field in message.fields() {
                assert!(!of_field(&field).is_empty(), "{}", field.full_name());
            }
        }
    }

    #[test]
    fn the_first_sentence_ends_at_its_full_stop() {
        assert_eq!(first_sentence("One product. It is new."), "One product");
        assert_eq!(first_sentence("One product.\n\nMore."), "One product");
        assert_eq!(first_sentence(""), "");
    }

    #[test]
    fn lines_are_joined_and_paragraphs_kept_apart() {
        let contract = crate::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).unwrap();
        let method = contract.method("/stoa.orders.v1.OrderService/PlaceOrder").unwrap();
        let text = of_method(&method.descriptor);
        assert!(text.contains("at current prices. The answer is the order"), "{text}");
        assert!(text.contains("\n\nThe same `Idempotency-Key`"), "{text}");
    }
}
