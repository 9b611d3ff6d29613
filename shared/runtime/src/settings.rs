//! Settings: from the environment or the command line, and secrets from files too.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

use clap::error::ErrorKind;
use clap::{Command, Error, Parser};

const HINT: &str = "A setting whose value is not shown here, X, may also stand in a file: X_FILE.";

/// Reads a process's settings; ends it with an explanation when they are wrong.
///
/// A secret `X`, whose value is hidden in `--help`, may also stand in the file that
/// `X_FILE` names, as Docker and Kubernetes mount it: environments are inherited, and
/// shown by more tools than files are. A newline at the file's end is not part of it.
pub fn settings<C: Parser>() -> C {
    read(std::env::args_os(), |name| std::env::var_os(name)).unwrap_or_else(|error| error.exit())
}

fn read<C: Parser>(
    arguments: impl IntoIterator<Item = OsString>,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<C, Error> {
    let mut command = C::command().after_help(HINT);
    let mut arguments: Vec<OsString> = arguments.into_iter().collect();
    for secret in secrets(&command) {
        let file = format!("{}_FILE", secret.variable);
        let Some(path) = variable(&file).filter(|path| !path.is_empty()) else { continue };
        if variable(&secret.variable).is_some_and(|value| !value.is_empty()) {
            let text = format!("{} and {file} are both set; set one", secret.variable);
            return Err(command.error(ErrorKind::ArgumentConflict, text));
        }
        let value = match contents(&path) {
            Ok(value) => value,
            Err(why) => {
                let text = format!("{} ({file}) {why}", Path::new(&path).display());
                return Err(command.error(ErrorKind::Io, text));
            }
        };
        // Only clap sees these arguments, not those who list processes.
        let mut argument = OsString::from(format!("--{}=", secret.flag));
        argument.push(value);
        arguments.push(argument);
    }
    C::from_arg_matches(&command.try_get_matches_from(arguments)?)
}

struct Secret {
    flag: String,
    variable: String,
}

fn secrets(command: &Command) -> Vec<Secret> {
    let hidden = command.get_arguments().filter(|arg| arg.is_hide_env_values_set());
    let named = hidden.filter_map(|arg| {
        let variable = arg.get_env()?.to_str()?.to_owned();
        Some(Secret { flag: arg.get_long()?.to_owned(), variable })
    });
    named.collect()
}

fn contents(path: &OsStr) -> Result<OsString, String> {
    let mut bytes = std::fs::read(path).map_err(|error| format!("cannot be read: {error}"))?;
    if bytes.ends_with(b"\n") {
        bytes.pop();
        if bytes.ends_with(b"\r") {
            bytes.pop();
        }
    }
    if bytes.is_empty() { Err("is empty".to_owned()) } else { Ok(OsString::from_vec(bytes)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Parser, Debug)]
    struct Config {
        #[command(flatten)]
        store: Store,
        #[arg(long, env = "SETTINGS_TEST_NAME", default_value = "shop")]
        name: String,
    }

    #[derive(clap::Args, Debug)]
    struct Store {
        #[arg(long, env = "SETTINGS_TEST_URL", hide_env_values = true)]
        store_url: String,
        #[arg(long, env = "SETTINGS_TEST_KEY", hide_env_values = true)]
        store_key: Option<String>,
    }

    fn settings(variables: &[(&str, &str)], arguments: &[&str]) -> Result<Config, String> {
        let arguments = ["test"].iter().chain(arguments).map(OsString::from);
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        };
        read(arguments, variable).map_err(|error| error.to_string())
    }

    fn file(contents: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), contents).unwrap();
        file
    }

    #[test]
    fn a_secret_may_come_from_a_file() {
        for (contents, secret) in
            [("s3 =cret", "s3 =cret"), ("-x\n", "-x"), ("x\r\n", "x"), ("x\n\n", "x\n")]
        {
            let file = file(contents);
            let path = file.path().to_str().unwrap();
            let config = settings(&[("SETTINGS_TEST_URL_FILE", path)], &[]).unwrap();
            assert_eq!(config.store.store_url, secret);
            assert_eq!(config.store.store_key, None);
        }
    }

    #[test]
    fn both_at_once_are_refused_without_showing_either() {
        let file = file("hidden");
        let path = file.path().to_str().unwrap();
        let both = [("SETTINGS_TEST_URL", "hidden"), ("SETTINGS_TEST_URL_FILE", path)];
        let error = settings(&both, &[]).unwrap_err();
        assert!(error.contains("SETTINGS_TEST_URL and SETTINGS_TEST_URL_FILE"), "{error}");
        let error = settings(&both[1..], &["--store-url=hidden"]).unwrap_err();
        assert!(!error.contains("hidden"), "{error}");
        // Unset as some tools do it.
        let config = settings(&[("SETTINGS_TEST_URL", ""), both[1]], &[]).unwrap();
        assert_eq!(config.store.store_url, "hidden");
    }

    #[test]
    fn a_file_that_is_missing_or_empty_is_named() {
        let missing = [("SETTINGS_TEST_URL_FILE", "/nowhere/url")];
        let error = settings(&missing, &[]).unwrap_err();
        assert!(error.contains("/nowhere/url (SETTINGS_TEST_URL_FILE)"), "{error}");
        let file = file("\n");
        let path = file.path().to_str().unwrap();
        let error = settings(&[("SETTINGS_TEST_URL_FILE", path)], &[]).unwrap_err();
        assert!(error.contains("is empty"), "{error}");
    }

    #[test]
    fn the_help_says_so() {
        let help = settings(&[], &["--help"]).unwrap_err();
        assert!(help.contains("X_FILE") && help.contains("[env: SETTINGS_TEST_KEY]"), "{help}");
    }

    #[test]
    fn what_is_no_secret_comes_from_no_file() {
        let file = file("x");
        let path = file.path().to_str().unwrap();
        let variables = [("SETTINGS_TEST_URL_FILE", path), ("SETTINGS_TEST_NAME_FILE", path)];
        assert_eq!(settings(&variables, &[]).unwrap().name, "shop");
    }
}
