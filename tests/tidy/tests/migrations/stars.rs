//! Stars in statements. A process that runs has prepared `select *` and `returning *` for
//! the columns that it found, and PostgreSQL refuses that from the moment on when there
//! is one more ("cached plan must not change result type").

use regex::Regex;

/// Each with its file and line; none is how it should be.
pub fn complaints(path: &str, text: &str) -> Vec<String> {
    // Expressions are slow to make, and most files have no statement.
    let lower = text.to_lowercase();
    if !text.contains('*') || !(lower.contains("select") || lower.contains("returning")) {
        return Vec::new();
    }
    // Comments go but for their ends: lines keep their numbers.
    let code = Regex::new(r"(?m)(?:^|\s)//.*$").unwrap().replace_all(text, "");
    // A quote may be a character, too.
    let literals = Regex::new(r#"(?s)'\\?"'|"(?:[^"\\]|\\.)*""#).unwrap();
    // All columns, or all of one table: not a product, nor what is counted.
    let star = r#"(?i)(?:\b(?:select|returning)(?:\s+(?:all|distinct))?\s+|,\s*)(?:\w+\s*\.\s*)?\*\s*(?:[,)"]|\b(?:from|into|where)\b)"#;
    let (star, statement) =
        (Regex::new(star).unwrap(), Regex::new(r"(?i)\b(?:select|returning|from)\b").unwrap());
    let mut found = Vec::new();
    for literal in literals.find_iter(&code).filter(|text| statement.is_match(text.as_str())) {
        for star in star.find_iter(literal.as_str()) {
            let before = &code[..literal.start() + star.start()];
            let line = before.matches('\n').count() + 1;
            found.push(format!("{path}:{line}: a star for columns: name them"));
        }
    }
    found
}
