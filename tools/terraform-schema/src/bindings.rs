//! What typed bindings tell of a provider: its classes, what each member holds, and what
//! may be set.

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::{Value, json};

/// Everything that was read, by the name of its class.
#[derive(Debug, Default)]
pub struct Bindings {
    pub classes: BTreeMap<String, Class>,
    /// How members that may be set are written down, by class and name.
    pub written: BTreeMap<String, BTreeMap<String, Written>>,
    /// Of the provider.
    pub version: String,
}

#[derive(Debug, Default)]
pub struct Class {
    pub members: Vec<Member>,
    pub kind: ClassKind,
    /// As Terraform calls it; empty for parts and for the provider.
    pub terraform_name: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClassKind {
    #[default]
    Part,
    Provider,
    Resource,
    DataSource,
}

#[derive(Debug)]
pub struct Member {
    pub name: String,
    pub computed: bool,
    pub optional: bool,
    pub required: bool,
    pub holds: Holds,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Holds {
    /// A type as Terraform writes it in JSON.
    Value(Value),
    /// At most one part of a class.
    One(String),
    /// Parts of a class.
    Many { of: String, set: bool },
    /// The member does not say; how it is written does.
    Untold,
}

#[derive(Debug, Default)]
pub struct Written {
    pub block: bool,
    /// `simple`, `list`, `set`, `map` or `struct`.
    pub shape: String,
    /// `string`, `stringList`, or the class of a block.
    pub storage: String,
}

impl Bindings {
    /// Takes in one source; a class's name is its own in the whole package.
    pub fn read(&mut self, source: &str, patterns: &Patterns) {
        let mut reader =
            Reader { bindings: self, class: None, owner: None, entry: None, member: None };
        for line in source.lines() {
            reader.line(line, patterns);
        }
    }
}

/// The lines of generated code that tell something.
pub struct Patterns {
    class: Regex,
    function: Regex,
    name: Regex,
    version: Regex,
    flags: Regex,
    made: Regex,
    asked: Regex,
    kept: Regex,
    entry: Regex,
    field: Regex,
}

impl Patterns {
    /// # Errors
    ///
    /// None: the expressions are constants, which a test reads.
    pub fn new() -> Result<Self, regex::Error> {
        Ok(Self {
            class: Regex::new(r"^export class (\w+) extends cdktf\.(\w+)")?,
            function: Regex::new(r"^export function (\w+)ToHclTerraform\(")?,
            name: Regex::new(r#"static readonly tfResourceType = "(\w+)""#)?,
            version: Regex::new(r"providerVersion: '([0-9.]+)'")?,
            flags: Regex::new(
                r"^\s*// (\w+) - computed: (true|false), optional: (true|false), required: (true|false)\s*$",
            )?,
            made: Regex::new(r#"= new (?:cdktf\.)?(\w+)\(this, "[^"]*"(?:, (true|false))?\);"#)?,
            asked: Regex::new(r"return (cdktf\.Fn\.tolist\()?this\.get(\w+)Attribute\(")?,
            kept: Regex::new(r"^\s*return this\._\w+;")?,
            entry: Regex::new(r"^\s+(\w+): \{$")?,
            field: Regex::new(r#"^\s+(isBlock|type|storageClassType): "?(\w+)"?,$"#)?,
        })
    }
}

/// Goes through a source line by line.
struct Reader<'a> {
    bindings: &'a mut Bindings,
    class: Option<String>,
    /// Whose members are being written down.
    owner: Option<String>,
    entry: Option<(String, Written)>,
    /// Its flags are known, what it holds is not yet.
    member: Option<Member>,
}

impl Reader<'_> {
    fn line(&mut self, line: &str, patterns: &Patterns) {
        if line == "}" {
            (self.class, self.owner, self.member) = (None, None, None);
        } else if let Some(found) = patterns.class.captures(line) {
            self.open(&found[1], &found[2]);
        } else if let Some(found) = patterns.function.captures(line) {
            self.owner = Some(capitalised(&found[1]));
        } else if line.contains(" synthesizeHclAttributes()") {
            self.owner.clone_from(&self.class);
        } else if self.owner.is_some() {
            self.written(line, patterns);
        } else if self.class.is_some() {
            self.member(line, patterns);
        }
    }

    fn open(&mut self, name: &str, base: &str) {
        let kind = match base {
            "TerraformResource" => ClassKind::Resource,
            "TerraformDataSource" => ClassKind::DataSource,
            "TerraformProvider" => ClassKind::Provider,
            _ => ClassKind::Part,
        };
        let name = name.strip_suffix("OutputReference").unwrap_or(name).to_owned();
        self.bindings.classes.entry(name.clone()).or_default().kind = kind;
        self.class = Some(name);
    }

    fn written(&mut self, line: &str, patterns: &Patterns) {
        if let Some(found) = patterns.entry.captures(line) {
            self.entry = Some((found[1].to_owned(), Written::default()));
            return;
        }
        let (Some(found), Some((_, written))) = (patterns.field.captures(line), &mut self.entry)
        else {
            return;
        };
        match &found[1] {
            "isBlock" => written.block = &found[2] == "true",
            "type" => found[2].clone_into(&mut written.shape),
            _ => {
                found[2].clone_into(&mut written.storage);
                if let (Some(owner), Some((name, written))) = (&self.owner, self.entry.take()) {
                    self.bindings.written.entry(owner.clone()).or_default().insert(name, written);
                }
            }
        }
    }

    fn member(&mut self, line: &str, patterns: &Patterns) {
        if let Some(found) = patterns.flags.captures(line) {
            let is = |index: usize| &found[index] == "true";
            let (computed, optional, required) = (is(2), is(3), is(4));
            let name = found[1].to_owned();
            self.member = Some(Member { name, computed, optional, required, holds: Holds::Untold });
        } else if let Some(found) = patterns.name.captures(line) {
            self.name(&found[1]);
        } else if let Some(found) = patterns.version.captures(line) {
            found[1].clone_into(&mut self.bindings.version);
        } else if let Some(holds) = held(line, patterns) {
            self.take(holds);
        }
    }

    fn name(&mut self, terraform_name: &str) {
        let class = self.class.as_ref().and_then(|name| self.bindings.classes.get_mut(name));
        if let Some(class) = class {
            terraform_name.clone_into(&mut class.terraform_name);
        }
    }

    fn take(&mut self, holds: Holds) {
        let class = self.class.as_ref().and_then(|name| self.bindings.classes.get_mut(name));
        if let (Some(class), Some(member)) = (class, self.member.take()) {
            class.members.push(Member { holds, ..member });
        }
    }
}

/// What a member holds, by the line that makes, asks for or gives it.
fn held(line: &str, patterns: &Patterns) -> Option<Holds> {
    if let Some(found) = patterns.made.captures(line) {
        return Some(made(&found[1], found.get(2).is_some_and(|set| set.as_str() == "true")));
    }
    if let Some(found) = patterns.asked.captures(line) {
        let plain = match &found[2] {
            "String" => json!("string"),
            "Number" => json!("number"),
            "Boolean" => json!("bool"),
            "List" if found.get(1).is_some() => json!(["set", "string"]),
            "List" => json!(["list", "string"]),
            "NumberList" if found.get(1).is_some() => json!(["set", "number"]),
            "NumberList" => json!(["list", "number"]),
            "StringMap" => json!(["map", "string"]),
            _ => return None,
        };
        return Some(Holds::Value(plain));
    }
    patterns.kept.is_match(line).then_some(Holds::Untold)
}

fn made(class: &str, set: bool) -> Holds {
    match class {
        "StringMap" => Holds::Value(json!(["map", "string"])),
        "StringMapList" => Holds::Value(json!(["list", ["map", "string"]])),
        _ => match (class.strip_suffix("OutputReference"), class.strip_suffix("List")) {
            (Some(of), _) => Holds::One(of.to_owned()),
            (_, Some(of)) => Holds::Many { of: of.to_owned(), set },
            _ => Holds::Untold,
        },
    }
}

fn capitalised(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
