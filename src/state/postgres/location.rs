//! Where a state on PostgreSQL is: `postgres://host/db?project=NAME`, completed by the variables that libpq reads.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};
use url::Url;

use crate::i18n::{Text, text};

/// How long a lease lasts without being renewed.
const LEASE: Duration = Duration::from_secs(60);
/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Where a state is, and how to connect. It has no Debug of its parts: it may hold a password.
#[derive(Clone)]
pub struct Location {
    pub(super) config: tokio_postgres::Config,
    pub(super) project: String,
    /// `postgres://host:5432/db?project=NAME`, for messages.
    pub(super) shown: String,
    /// A file with the authorities that the server's certificate is checked against, in place of the system's.
    pub(super) root_certificates: Option<PathBuf>,
    /// Whether the connection is protected: always, but on this machine.
    pub(super) tls: bool,
    /// How long a writer that is gone keeps others out.
    pub(super) lease: Duration,
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl Location {
    /// Reads a URL. `variable` returns the environment variables that libpq reads (`PGHOST`, `PGPORT`, `PGUSER`,
    /// `PGDATABASE`, `PGPASSWORD`, `PGSSLMODE`, `PGSSLROOTCERT`), and `password` looks a password up in a password file, by
    /// host, port, database and user.
    ///
    /// # Errors
    /// For a URL that is not one, names no project, holds a password, or would leave the connection unprotected.
    pub fn parse(
        url: &str,
        variable: impl Fn(&str) -> Option<OsString>,
        password: impl Fn(&str, u16, &str, &str) -> Result<Option<String>, Text>,
    ) -> Result<Self, Text> {
        let variable = |name: &str| {
            variable(name).and_then(|value| value.into_string().ok()).filter(|value| !value.is_empty())
        };
        let parsed = Url::parse(url).map_err(|error| text!("not a PostgreSQL URL: {error}", error))?;
        if parsed.password().is_some() {
            return Err(text!(
                "the URL holds a password; set PGPASSWORD, or use a password file (PGPASSFILE)"
            ));
        }
        let (mut project, mut mode, mut root_certificates) =
            (None, variable("PGSSLMODE"), variable("PGSSLROOTCERT"));
        let mut lease = LEASE;
        let mut host = parsed.host_str().filter(|host| !host.is_empty()).map(decode);
        for (name, value) in parsed.query_pairs() {
            match &*name {
                "project" => project = Some(value.into_owned()),
                "sslmode" => mode = Some(value.into_owned()),
                "lease" => {
                    let seconds = value.parse().ok().filter(|seconds| (1..=3600).contains(seconds));
                    lease = Duration::from_secs(
                        seconds.ok_or_else(|| text!("`lease` must be a number of seconds from 1 to 3600"))?,
                    );
                }
                "sslrootcert" => root_certificates = Some(value.into_owned()),
                // As libpq has it: a folder with a socket.
                "host" => host = Some(value.into_owned()),
                _ => {
                    let name = name.escape_debug();
                    return Err(text!(
                        "unknown parameter `{name}`; expected project, lease, sslmode, sslrootcert or host",
                        name
                    ));
                }
            }
        }
        let project = project.filter(|project| is_name(project)).ok_or_else(|| {
            text!(
                "the URL must name a project of a-z, 0-9, `-` and `_`: postgres://HOST/DATABASE?project=NAME"
            )
        })?;
        let host = host.or_else(|| variable("PGHOST")).unwrap_or_else(|| "localhost".to_owned());
        let port = match (parsed.port(), variable("PGPORT")) {
            (Some(port), _) => port,
            (None, Some(port)) => port.parse().map_err(|_| text!("PGPORT is not a port: {port}", port))?,
            (None, None) => 5432,
        };
        let user = match parsed.username() {
            "" => variable("PGUSER").or_else(|| variable("USER")).unwrap_or_else(|| "postgres".to_owned()),
            user => decode(user),
        };
        let database = match parsed.path().trim_start_matches('/') {
            "" => variable("PGDATABASE").unwrap_or_else(|| user.clone()),
            database => decode(database),
        };

        let mut config = tokio_postgres::Config::new();
        config
            .host(&host)
            .port(port)
            .user(&user)
            .dbname(&database)
            .application_name("postpay")
            .connect_timeout(CONNECT_TIMEOUT)
            .keepalives_idle(Duration::from_secs(10))
            .target_session_attrs(TargetSessionAttrs::Any);
        let is_local = match config.get_hosts().first() {
            Some(Host::Tcp(name)) => is_loopback(name),
            // A socket of this machine.
            _ => true,
        };
        let tls = match mode.as_deref() {
            None => !is_local,
            Some("require" | "verify-ca" | "verify-full") => true,
            Some("disable" | "allow" | "prefer") if is_local => false,
            Some(mode @ ("disable" | "allow" | "prefer")) => {
                return Err(text!(
                    "sslmode={mode} would leave the connection to {host} unprotected; use verify-full",
                    mode,
                    host
                ));
            }
            Some(mode) => {
                let mode = mode.escape_debug();
                return Err(text!("unknown sslmode {mode}; expected verify-full", mode));
            }
        };
        config.ssl_mode(if tls { SslMode::Require } else { SslMode::Disable });
        if let Some(password) = match variable("PGPASSWORD") {
            Some(password) => Some(password),
            None => password(&host, port, &database, &user)?,
        } {
            config.password(password);
        }
        let shown = if host.starts_with('/') {
            format!("postgres:///{database}?host={host}&project={project}")
        } else {
            format!("postgres://{host}:{port}/{database}?project={project}")
        };
        Ok(Self { config, project, shown, root_certificates: root_certificates.map(Into::into), tls, lease })
    }

    pub fn project(&self) -> &str {
        &self.project
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase() || first.is_ascii_digit())
        && text.len() <= 63
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte))
}

fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host.trim_matches(['[', ']']).parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

/// Decodes `%2F` and the like.
fn decode(text: &str) -> String {
    url::form_urlencoded::parse(format!("x={}", text.replace('+', "%2B")).as_bytes())
        .next()
        .map_or_else(String::new, |(_, value)| value.into_owned())
}

/// Finds a password in the text of a password file: lines of `host:port:database:user:password`, with `*` for any, and `\`
/// before `:` and `\`.
pub fn find_password(file: &str, host: &str, port: u16, database: &str, user: &str) -> Option<String> {
    let host = if host.starts_with('/') { "localhost" } else { host };
    let port = port.to_string();
    file.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let mut fields = split(line);
        let password = if fields.len() == 5 { fields.pop()? } else { return None };
        let wanted = [host, &port, database, user];
        let matches = fields.iter().zip(wanted).all(|(field, wanted)| field == "*" || field == wanted);
        matches.then_some(password)
    })
}

/// Splits a line of a password file. The password is the rest of the line, so a colon in it needs no `\`.
fn split(line: &str) -> Vec<String> {
    let (mut fields, mut field) = (Vec::new(), String::new());
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            ':' if fields.len() < 4 => fields.push(std::mem::take(&mut field)),
            '\\' => field.extend(chars.next()),
            c => field.push(c),
        }
    }
    fields.push(field);
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str, variables: &[(&str, &str)]) -> Result<Location, String> {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        };
        let file = "# comment\ndb.example:5432:*:ada:se\\:cr:et\n";
        let password = |host: &str, port, database: &str, user: &str| {
            Ok(find_password(file, host, port, database, user))
        };
        Location::parse(url, variable, password).map_err(|error| error.en().to_owned())
    }

    #[test]
    fn urls_are_completed_by_the_variables_of_libpq() {
        let location = parse("postgres://db.example/state?project=shop", &[("PGUSER", "ada")]).unwrap();
        assert_eq!(location.to_string(), "postgres://db.example:5432/state?project=shop");
        assert_eq!(location.config.get_user(), Some("ada"));
        assert_eq!(location.config.get_password(), Some(&b"se:cr:et"[..]));
        assert!(location.tls);

        let variables = [("PGHOST", "127.0.0.1"), ("PGPORT", "6432"), ("PGUSER", ""), ("PGDATABASE", "d")];
        let location = parse("postgres://?project=shop", &variables).unwrap();
        assert_eq!(location.to_string(), "postgres://127.0.0.1:6432/d?project=shop");
        assert!(!location.tls, "the connection stays on this machine");

        let socket = parse("postgres:///d?host=/run/postgresql&project=shop", &[]).unwrap();
        assert_eq!(socket.to_string(), "postgres:///d?host=/run/postgresql&project=shop");
        assert!(!socket.tls);
    }

    #[test]
    fn secrets_and_unprotected_connections_are_rejected() {
        for (url, part) in [
            ("postgres://a:secret@h/d?project=p", "holds a password"),
            ("postgres://h/d", "must name a project"),
            ("postgres://h/d?project=P/x", "must name a project"),
            ("postgres://h/d?project=p&sslmode=disable", "unprotected"),
            ("postgres://h/d?project=p&sslmode=no", "unknown sslmode"),
            ("postgres://h/d?project=p&options=-c", "unknown parameter"),
            ("postgres://[h/d?project=p", "not a PostgreSQL URL"),
        ] {
            let error = parse(url, &[]).unwrap_err();
            assert!(error.contains(part) && !error.contains("secret"), "{url}: {error}");
        }
        let debug =
            format!("{:?}", parse("postgres://db.example/x?project=p", &[("PGUSER", "ada")]).unwrap());
        assert!(!debug.contains("cr"), "{debug}");
    }
}
