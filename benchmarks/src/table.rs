//! Results as lines of a table.

use crate::load::Outcome;

/// Prints a title and the heads of the columns.
pub fn head(title: &str, what: &str, against: &str) {
    println!("\n{title}");
    println!(
        "  {what:<44} {:>3} {:>9} {:>9} {:>9}  {against}",
        "n", "per s", "p50 ms", "p99 ms"
    );
}

/// Prints an outcome, and its rate as a share of another one's.
pub fn line(what: &str, workers: usize, outcome: &Outcome, against: Option<&Outcome>) {
    let (rate, p50, p99) =
        (outcome.per_second(), outcome.milliseconds(0.5), outcome.milliseconds(0.99));
    let share = against.map_or(String::new(), |a| format!("{:.2}", rate / a.per_second()));
    println!("  {what:<44} {workers:>3} {rate:>9.0} {p50:>9.2} {p99:>9.2}  {share}");
}
