//! What was tried and what came of it, as a document.

use std::fmt::Write as _;
use std::path::PathBuf;

use super::Tried;
use super::cases::{COLUMNS, Case, ROADS};

/// What is wrong with a case, if anything.
pub fn wrong(tried: &Tried) -> Option<String> {
    let Case { road, point, kind, moment } = tried.case;
    let what = format!("{}, {}, {kind:?} {moment:?}", road.name(), point.name());
    (!tried.wrong.is_empty()).then(|| format!("{what}: {}", tried.wrong.join("; ")))
}

/// Writes `saga-faults.md` into the target directory.
pub fn write(tried: &[Tried]) {
    let violations = tried.iter().filter(|tried| wrong(tried).is_some()).count();
    let mut text = String::from("# Faults of sagas\n\n");
    writeln!(text, "{} cases, {violations} violations.\n", tried.len()).unwrap();
    text.push_str(
        "Every cell is an order of its own whose action goes wrong once, before or after its effect: by an error, by no\n\
         answer until the action's time is up, or by the death of the process, after which another one goes on. It says how\n\
         the order ended and how often the action was tried; **bold** is not as it must be: stock and money taken exactly\n\
         once or both put back, every fact once, the cart emptied once, the payment token forgotten.\n",
    );
    for road in ROADS {
        writeln!(text, "\n## A {}\n", road.name()).unwrap();
        let columns = COLUMNS.map(|(kind, moment)| format!("{kind:?} {moment:?}").to_lowercase());
        writeln!(text, "| action | {} |\n|---{}|", columns.join(" | "), "|---".repeat(6)).unwrap();
        for point in road.points() {
            let cells = COLUMNS.map(|(kind, moment)| {
                let case = Case { road, point, kind, moment };
                tried.iter().find(|tried| tried.case == case).map(cell).unwrap_or_default()
            });
            writeln!(text, "| {} | {} |", point.name(), cells.join(" | ")).unwrap();
        }
    }
    std::fs::write(path(), text).unwrap();
    println!("saga faults: {} cases, {violations} violations; {}", tried.len(), path().display());
}

fn cell(tried: &Tried) -> String {
    let state = tried.state.as_str_name().trim_start_matches("ORDER_STATE_");
    let tries = if tried.tries > 0 { format!(", {}×", tried.tries) } else { String::new() };
    let cell = format!("{state}{tries}");
    if tried.wrong.is_empty() { cell } else { format!("**{cell}**") }
}

/// The target directory: `<target>/debug/deps/<test>`.
fn path() -> PathBuf {
    let program = std::env::current_exe().unwrap();
    program.ancestors().nth(3).unwrap().join("saga-faults.md")
}
