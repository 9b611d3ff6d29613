//! What each statement of a migration means for whoever runs on the schema already.

use std::collections::BTreeSet;

use regex::Regex;
use sqlparser::ast::{
    AlterColumnOperation, AlterTableOperation, ColumnDef, ColumnOption, Expr, FromTable,
    ObjectName, Statement, TableConstraint, TableFactor,
};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer, Whitespace};

/// A statement with what stands before it.
struct Piece {
    line: u64,
    tokens: Vec<TokenWithSpan>,
    /// Comments directly before it.
    comments: Vec<String>,
}

/// Each with its file and line; none is how it should be.
pub fn complaints(path: &str, text: &str) -> Vec<String> {
    let dialect = PostgreSqlDialect {};
    let tokens = match Tokenizer::new(&dialect, text).tokenize_with_location() {
        Ok(tokens) => tokens,
        Err(error) => return vec![format!("{path}: cannot be read: {error}")],
    };
    let pieces = pieces(tokens);
    let mut file = File {
        made: BTreeSet::new(),
        alone: pieces.len() == 1,
        outside: text.starts_with("-- no-transaction"),
    };
    let mut complaints = Vec::new();
    for piece in pieces {
        let mut parser = Parser::new(&dialect).with_tokens_with_locations(piece.tokens);
        let found = match parser.parse_statement() {
            Ok(statement) => file.look_at(&statement),
            Err(error) => vec![format!("cannot be read: {error}")],
        };
        if !piece.comments.iter().any(|comment| is_reason(comment)) {
            complaints.extend(found.iter().map(|what| format!("{path}:{}: {what}", piece.line)));
        }
    }
    complaints
}

/// `contract: `, why nobody misses it, and since which release.
fn is_reason(comment: &str) -> bool {
    let reason = Regex::new(r"^\s*contract: \S+( \S+){2,}").unwrap();
    let release = Regex::new(r"\b\d+\.\d+\b").unwrap();
    reason.is_match(comment) && release.is_match(comment)
}

fn pieces(tokens: Vec<TokenWithSpan>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut piece = Piece { line: 0, tokens: Vec::new(), comments: Vec::new() };
    for token in tokens {
        match &token.token {
            Token::SemiColon | Token::EOF => {
                let full = !piece.tokens.is_empty();
                let next = Piece { line: 0, tokens: Vec::new(), comments: Vec::new() };
                let done = std::mem::replace(&mut piece, next);
                if full {
                    pieces.push(done);
                }
            }
            Token::Whitespace(Whitespace::SingleLineComment { comment, .. })
                if piece.tokens.is_empty() =>
            {
                piece.comments.push(comment.clone());
            }
            Token::Whitespace(_) if piece.tokens.is_empty() => {}
            _ => {
                if piece.tokens.is_empty() {
                    piece.line = token.span.start.line;
                }
                piece.tokens.push(token);
            }
        }
    }
    pieces
}

/// A migration.
struct File {
    /// The tables that it makes itself: nobody else knows them yet.
    made: BTreeSet<String>,
    alone: bool,
    outside: bool,
}

fn say(what: &str) -> Vec<String> {
    vec![what.to_owned()]
}

impl File {
    fn is_new(&self, table: &ObjectName) -> bool {
        self.made.contains(&table.to_string())
    }

    fn look_at(&mut self, statement: &Statement) -> Vec<String> {
        match statement {
            Statement::CreateTable(table) => {
                self.made.insert(table.name.to_string());
                Vec::new()
            }
            Statement::CreateFunction(function) if function.or_replace => {
                say("replaces a function that the release before calls")
            }
            Statement::CreateFunction(_)
            | Statement::CreateTrigger(_)
            | Statement::CreateView(_)
            | Statement::CreateSequence { .. }
            | Statement::CreateType { .. }
            | Statement::CreateExtension(_)
            | Statement::Comment { .. }
            | Statement::Insert(_)
            | Statement::Query(_)
            | Statement::Set(_) => Vec::new(),
            Statement::CreateIndex(index) if self.is_new(&index.table_name) => Vec::new(),
            Statement::CreateIndex(index) if !index.concurrently => {
                say("locks the table while the index is made: create index concurrently")
            }
            Statement::CreateIndex(_) if !self.outside => {
                say("is no part of a transaction: `-- no-transaction` in the first line")
            }
            Statement::CreateIndex(_) if !self.alone => {
                say("is no part of a transaction: it has to be alone in its migration")
            }
            Statement::CreateIndex(_) => Vec::new(),
            Statement::AlterTable(table) if self.is_new(&table.name) => Vec::new(),
            Statement::AlterTable(table) => table.operations.iter().flat_map(altered).collect(),
            Statement::Drop { object_type, .. } => {
                let kind = object_type.to_string().to_lowercase();
                let article = if kind.starts_with('i') { "an" } else { "a" };
                vec![format!("removes {article} {kind} that the release before may use")]
            }
            Statement::DropFunction(_) => {
                say("removes a function that the release before may call")
            }
            Statement::DropTrigger(_) => say("removes a trigger that the release before relies on"),
            Statement::AlterIndex { .. } => say("renames what the release before may name"),
            Statement::Update(update) if self.is_made(&update.table.relation) => Vec::new(),
            Statement::Delete(delete) if self.all_made(&delete.from) => Vec::new(),
            Statement::Update(_) | Statement::Delete(_) | Statement::Truncate(_) => {
                say("changes rows while others do: fill in by a task, in pieces")
            }
            _ => say("is not known to leave the release before alone"),
        }
    }

    fn is_made(&self, table: &TableFactor) -> bool {
        matches!(table, TableFactor::Table { name, .. } if self.is_new(name))
    }

    fn all_made(&self, from: &FromTable) -> bool {
        let (FromTable::WithFromKeyword(tables) | FromTable::WithoutKeyword(tables)) = from;
        tables.iter().all(|table| self.is_made(&table.relation))
    }
}

/// What is done to a table that the release before reads and writes.
fn altered(operation: &AlterTableOperation) -> Vec<String> {
    use AlterTableOperation as Op;
    match operation {
        Op::AddColumn { column_def, .. } => added(column_def),
        Op::AddConstraint { constraint, not_valid } => {
            let later = *not_valid
                || matches!(
                    constraint,
                    TableConstraint::PrimaryKeyUsingIndex(_) | TableConstraint::UniqueUsingIndex(_)
                );
            if later { Vec::new() } else { say(LOOKS) }
        }
        Op::ValidateConstraint { .. } => Vec::new(),
        Op::AlterColumn { op, .. } => match op {
            AlterColumnOperation::SetDefault { .. } => Vec::new(),
            AlterColumnOperation::SetNotNull => say(DEMANDS),
            AlterColumnOperation::DropNotNull => {
                say("lets a column be null that the release before reads as a value")
            }
            AlterColumnOperation::DropDefault => {
                say("takes a column's default away, which the release before leaves out")
            }
            AlterColumnOperation::SetDataType { .. } => {
                say("changes a column's type, and rewrites the table")
            }
            AlterColumnOperation::AddGenerated { .. } => say(REWRITES),
        },
        Op::DropColumn { .. } => say("removes a column that the release before may read"),
        Op::DropConstraint { .. } => {
            say("removes a constraint that the release before relies on (`on conflict`)")
        }
        Op::RenameColumn { .. } | Op::RenameTable { .. } | Op::RenameConstraint { .. } => {
            say("renames what the release before names")
        }
        _ => say("is not known to leave the release before alone"),
    }
}

const LOOKS: &str = "looks at every row while the table is locked: `not valid`, validated later; \
                     or an index first";
const DEMANDS: &str = "demands a value that the release before does not write";
const REWRITES: &str = "rewrites the table, locked for so long: values come from a task";

fn added(column: &ColumnDef) -> Vec<String> {
    let options = || column.options.iter().map(|option| &option.option);
    let mut complaints = Vec::new();
    let has_default = options().any(|option| matches!(option, ColumnOption::Default(_)));
    if options().any(|option| matches!(option, ColumnOption::NotNull)) && !has_default {
        complaints.extend(say(DEMANDS));
    }
    let serial = column.data_type.to_string().to_lowercase().contains("serial");
    let rewrites = |option: &ColumnOption| match option {
        ColumnOption::Default(value) => !is_the_same_for_all(value),
        ColumnOption::Generated { .. } | ColumnOption::Identity(_) => true,
        _ => false,
    };
    if serial || options().any(rewrites) {
        complaints.extend(say(REWRITES));
    }
    let looks = |option: &ColumnOption| {
        use ColumnOption::{Check, ForeignKey, PrimaryKey, Unique};
        matches!(option, Check(_) | ForeignKey(_) | PrimaryKey(_) | Unique(_))
    };
    if options().any(looks) {
        complaints.extend(say(LOOKS));
    }
    complaints
}

/// Whether PostgreSQL computes a default once, and not for every row.
fn is_the_same_for_all(value: &Expr) -> bool {
    match value {
        Expr::Value(_) | Expr::TypedString(_) | Expr::Array(_) => true,
        Expr::Cast { expr, .. } | Expr::UnaryOp { expr, .. } | Expr::Nested(expr) => {
            is_the_same_for_all(expr)
        }
        Expr::Function(function) => ["now", "current_timestamp", "current_date"]
            .contains(&function.name.to_string().to_lowercase().as_str()),
        _ => false,
    }
}
