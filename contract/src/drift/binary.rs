//! Differences between descriptor sets.

use std::collections::BTreeMap;

use prost::Message as _;
use prost_reflect::{
    DescriptorPool, DynamicMessage, FileDescriptor, MessageDescriptor, MethodDescriptor,
};

use crate::comments;

/// Names what is not the same in both.
pub(super) fn differences(found: &[u8], wanted: &[u8]) -> Vec<(Option<usize>, String)> {
    let Ok(wanted) = DescriptorPool::decode(wanted) else { return Vec::new() };
    let Ok(found) = DescriptorPool::decode(found) else {
        return vec![(None, "cannot be read".to_owned())];
    };
    let (found, wanted) = (elements(&found), elements(&wanted));
    let mut names: Vec<&String> = found.keys().chain(wanted.keys()).collect();
    names.sort();
    names.dedup();
    let changed = names.into_iter().filter(|name| found.get(*name) != wanted.get(*name));
    changed.map(|name| (None, name.clone())).collect()
}

/// Everything that has a name, with all that is said about it but its place in the file.
fn elements(pool: &DescriptorPool) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for file in pool.files() {
        all.insert(file.name().to_owned(), header(&file));
        for service in file.services() {
            let text = format!("{:?}{}", said(&service.options()), comments::of_service(&service));
            all.insert(service.full_name().to_owned(), text);
            for method in service.methods() {
                all.insert(format!("{}/{}", service.full_name(), method.name()), law(&method));
            }
        }
        for found in file.messages() {
            message(&found, &mut all);
        }
        for found in file.enums() {
            all.insert(
                found.full_name().to_owned(),
                format!("{:?}", found.enum_descriptor_proto()),
            );
        }
    }
    all
}

/// An option's value; the `Debug` of one that contains itself never ends.
fn said(options: &DynamicMessage) -> Vec<u8> {
    options.encode_to_vec()
}

fn header(file: &FileDescriptor) -> String {
    let imports: Vec<String> = file.dependencies().map(|d| d.name().to_owned()).collect();
    format!("{:?}{imports:?}", said(&file.options()))
}

fn law(method: &MethodDescriptor) -> String {
    format!(
        "{:?}{:?}{}",
        method.method_descriptor_proto(),
        said(&method.options()),
        comments::of_method(method)
    )
}

fn message(descriptor: &MessageDescriptor, all: &mut BTreeMap<String, String>) {
    let text = format!("{:?}{}", said(&descriptor.options()), comments::of_message(descriptor));
    all.insert(descriptor.full_name().to_owned(), text);
    for field in descriptor.fields() {
        let proto = field.field_descriptor_proto();
        let text = format!("{proto:?}{:?}{}", said(&field.options()), comments::of_field(&field));
        all.insert(field.full_name().to_owned(), text);
    }
    for inner in descriptor.child_messages() {
        message(&inner, all);
    }
}
