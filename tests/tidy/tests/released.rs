//! The released contract and those who must still understand its facts.

use crate::tree::{no_complaints, root};

#[test]
fn every_consumer_of_a_released_fact_tries_it() {
    let root = root();
    let released = contract::release::read(&root).expect("the release is whole");
    let released = released.expect("a released contract is checked in");
    let today = contract::load(&root).expect("the contract obeys its rules");
    let mut complaints = Vec::new();
    for fixture in &released.facts {
        let fact = today.facts.iter().find(|f| f.topic == fixture.topic);
        for consumer in fact.map(|f| f.consumers.as_slice()).unwrap_or_default() {
            let path = format!("services/{consumer}/tests/it/released.rs");
            let text = std::fs::read_to_string(root.join(&path)).unwrap_or_default();
            if !text.contains(&format!("\"{}\"", fixture.topic)) {
                complaints.push(format!("{path}: no case for {}", fixture.topic));
            }
        }
    }
    no_complaints("a consumer is not tried with a released fact", &complaints);
}
