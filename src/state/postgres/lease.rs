//! The lease of a writer on PostgreSQL.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::AbortHandle;

use super::server::{Failure, Server, Statement};
use crate::i18n::Text;
use crate::state::error::StateError;
use crate::state::record::{RunId, Serial};
use crate::state::store::{Fence, Keep, Lease};

/// Selects and locks the project's row, if this writer holds the lease and the state is $4.
const SAME: &str = "SELECT name FROM postpay.projects \
                    WHERE name = $1 AND epoch = $2 AND writer = $3 AND snapshot IS NOT DISTINCT FROM $4 FOR UPDATE";

pub(super) struct PostgresLease {
    server: Arc<Server>,
    lasts: Duration,
    /// What only this writer knows, so that it recognises its own lease after a lost answer.
    writer: String,
    epoch: i64,
    /// The run that this writer opened or found.
    run: Option<String>,
    /// A statement of this writer may still be carried out.
    is_uncertain: bool,
    renewal: Option<AbortHandle>,
}

impl PostgresLease {
    pub(super) fn new(server: Arc<Server>, writer: String, epoch: i64) -> Self {
        let lasts = server.location().lease;
        let project = server.location().project().to_owned();
        let mine = writer.clone();
        let renewal = server.repeat(lasts / 4, move || {
            Statement::new(
                "UPDATE postpay.projects SET lease_until = clock_timestamp() + make_interval(secs => $3) \
                 WHERE name = $1 AND writer = $2 RETURNING name",
            )
            .text(&project)
            .text(&mine)
            .seconds(lasts)
        });
        Self { server, lasts, writer, epoch, run: None, is_uncertain: false, renewal }
    }

    fn place(&self) -> PathBuf {
        self.server.location().to_string().into()
    }

    fn fenced(&self) -> StateError {
        StateError::FencedOut { path: self.place() }
    }

    /// A statement whose first values are the project, the epoch and the writer.
    fn statement(&self, sql: &'static str) -> Statement {
        Statement::new(sql).text(self.server.location().project()).number(self.epoch).text(&self.writer)
    }

    fn failed(&mut self, failure: Failure) -> StateError {
        self.is_uncertain |= failure.is_uncertain;
        self.server.error(failure)
    }

    /// Runs a statement, which returns a row unless this writer was fenced out. It does no harm to run it twice, and it is where
    /// the answer was lost.
    fn repeat(&mut self, statement: impl Fn(&Self) -> Statement) -> Result<(), StateError> {
        let mut answer = self.server.query(statement(self));
        if answer.as_ref().is_err_and(|failure| failure.is_uncertain) {
            answer = self.server.query(statement(self));
        }
        match answer {
            Ok(rows) if rows.is_empty() => Err(self.fenced()),
            Ok(_) => Ok(()),
            Err(failure) => Err(self.failed(failure)),
        }
    }

    /// Runs statements in a transaction. The first locks the project's row, and returns none when this writer was fenced out.
    fn transaction(&mut self, statements: Vec<Statement>) -> Result<(), StateError> {
        match self.server.run(statements) {
            Ok(answers) if answers.first().is_none_or(Vec::is_empty) => Err(self.fenced()),
            Ok(_) => Ok(()),
            Err(failure) => Err(self.failed(failure)),
        }
    }

    /// Makes sure that no earlier statement of this writer is carried out from now on.
    fn settle(&mut self) -> Result<(), StateError> {
        if !self.is_uncertain {
            return Ok(());
        }
        let raise = Statement::new(
            "UPDATE postpay.projects SET epoch = epoch + 1 WHERE name = $1 AND writer = $2 RETURNING epoch",
        );
        let raise = raise.text(self.server.location().project()).text(&self.writer);
        let rows = self.server.query(raise).map_err(|failure| self.failed(failure))?;
        let row = rows.first().ok_or_else(|| self.fenced())?;
        self.epoch = row.get(0);
        self.is_uncertain = false;
        Ok(())
    }
}

impl Lease for PostgresLease {
    fn read(&mut self, from: u64) -> Result<Vec<u8>, StateError> {
        self.settle()?;
        let lines = Statement::new(
            "SELECT string_agg(line, ''::bytea ORDER BY seq) FILTER (WHERE seq >= $2), \
               (SELECT open_run FROM postpay.projects WHERE name = $1) FROM postpay.log WHERE project = $1",
        );
        let from = i64::try_from(from).unwrap_or(i64::MAX);
        let lines = lines.text(self.server.location().project()).number(from);
        let rows = self.server.query(lines).map_err(|failure| self.failed(failure))?;
        let row = rows.first().ok_or_else(|| self.fenced())?;
        self.run = row.get(1);
        Ok(row.get::<_, Option<Vec<u8>>>(0).unwrap_or_default())
    }

    fn prepare(&mut self, state: Option<&[u8]>) -> Result<(), StateError> {
        self.renew()?;
        self.repeat(|lease| lease.statement(SAME).bytes(state))
    }

    fn begin(&mut self, run: RunId, line: &[u8]) -> Result<(), StateError> {
        let run = run.to_string();
        let open = self.statement(
            "WITH project AS (UPDATE postpay.projects SET open_run = $4 \
               WHERE name = $1 AND epoch = $2 AND writer = $3 AND open_run IS NULL \
                 AND set_config('synchronous_commit', 'on', true) = 'on' RETURNING name) \
             INSERT INTO postpay.log (project, seq, epoch, line) SELECT name, 1, $2, $5 FROM project RETURNING seq",
        );
        match self.server.query(open.text(&run).bytes(Some(line))) {
            Ok(rows) if rows.is_empty() => return Err(self.fenced()),
            Ok(_) => {}
            // Whether it is open is read, never guessed from the error.
            Err(failure) => {
                let error = self.failed(failure);
                if !self.is_uncertain || self.read(1)? != line {
                    return Err(error);
                }
            }
        }
        self.run = Some(run);
        Ok(())
    }

    fn append(&mut self, seq: u64, line: &[u8], fence: Fence) -> Result<(), StateError> {
        let number = i64::try_from(seq).unwrap_or(i64::MAX);
        let run = self.run.clone().unwrap_or_default();
        // The row's lock makes a writer that closes the run wait, or this one find it closed.
        let insert = match fence {
            Fence::Intent => {
                "WITH project AS (UPDATE postpay.projects SET lease_until = clock_timestamp() + make_interval(secs => $7) \
                   WHERE name = $1 AND epoch = $2 AND writer = $3 AND open_run = $6 \
                     AND set_config('synchronous_commit', 'on', true) = 'on' RETURNING name) \
                 INSERT INTO postpay.log (project, seq, epoch, line) SELECT name, $4, $2, $5 FROM project \
                 WHERE EXISTS (SELECT FROM postpay.log WHERE project = $1 AND seq = $4 - 1) RETURNING seq"
            }
            Fence::Open => {
                "INSERT INTO postpay.log (project, seq, epoch, line) SELECT name, $4, $2, $5 FROM postpay.projects \
                 WHERE name = $1 AND $3::text IS NOT NULL AND $7::float8 > 0 AND open_run = $6 \
                   AND EXISTS (SELECT FROM postpay.log WHERE project = $1 AND seq = $4 - 1) \
                   AND set_config('synchronous_commit', 'on', true) = 'on' FOR UPDATE RETURNING seq"
            }
        };
        for is_last in [false, true] {
            let insert =
                self.statement(insert).number(number).bytes(Some(line)).text(&run).seconds(self.lasts);
            match self.server.query(insert) {
                Ok(rows) if rows.is_empty() => return Err(self.fenced()),
                Ok(_) => return Ok(()),
                Err(failure) => {
                    let error = self.failed(failure);
                    // Once no earlier statement can be carried out any more, what is there is final.
                    if is_last || !self.is_uncertain || !self.read(seq)?.is_empty() {
                        return Err(error);
                    }
                }
            }
        }
        Ok(())
    }

    fn renew(&mut self) -> Result<(), StateError> {
        let renew = "UPDATE postpay.projects SET lease_until = clock_timestamp() + make_interval(secs => $4) \
             WHERE name = $1 AND epoch = $2 AND writer = $3 RETURNING name";
        self.repeat(|lease| lease.statement(renew).seconds(lease.lasts))
    }

    fn replace(
        &mut self,
        before: Option<&[u8]>,
        state: &[u8],
        keep: Keep,
    ) -> Result<Option<PathBuf>, StateError> {
        self.settle()?;
        let project = self.server.location().project().to_owned();
        let on = |sql: &'static str| Statement::new(sql).text(&project);
        let same = self.statement(SAME).bytes(before);
        let mut statements = vec![same];
        let kept = match (before, keep) {
            (None, _) => None,
            (Some(_), Keep::AsBackup) => {
                statements.push(on("UPDATE postpay.projects SET backup = snapshot WHERE name = $1"));
                Some(format!("{}, backup", self.server.location()))
            }
            (Some(before), Keep::Aside(_)) if before == state => None,
            (Some(_), Keep::Aside(at)) => {
                let aside = on(
                    "INSERT INTO postpay.replaced SELECT name, to_timestamp($2::bigint), snapshot FROM postpay.projects \
                     WHERE name = $1",
                );
                statements.push(aside.number(at.as_second()));
                Some(format!("{}, replaced {at:.0}", self.server.location()))
            }
        };
        statements.push(on("UPDATE postpay.projects SET snapshot = $2 WHERE name = $1").bytes(Some(state)));
        match self.transaction(statements) {
            Ok(()) => Ok(kept.map(Into::into)),
            // The answer to the commit may be lost.
            Err(error) if self.is_uncertain => {
                self.settle()?;
                self.prepare(Some(state)).map_err(|_| error)?;
                Ok(kept.map(Into::into))
            }
            Err(error) => Err(error),
        }
    }

    fn close(&mut self, base: Serial, run: RunId) -> Result<(), StateError> {
        self.settle()?;
        let (project, run) = (self.server.location().project().to_owned(), run.to_string());
        let on = |sql: &'static str| Statement::new(sql).text(&project);
        let base =
            i64::try_from(base.0).map_err(|_| StateError::Misused(Text::fixed("the serial is too large")))?;
        let file =
            on("INSERT INTO postpay.receipts SELECT $1, $2, $3, string_agg(line, ''::bytea ORDER BY seq) \
             FROM postpay.log WHERE project = $1 HAVING count(*) > 0 ON CONFLICT DO NOTHING");
        let held = self.statement(
            "SELECT name FROM postpay.projects WHERE name = $1 AND epoch = $2 AND writer = $3 FOR UPDATE",
        );
        let statements = vec![
            held,
            file.number(base).text(&run),
            on("DELETE FROM postpay.log WHERE project = $1"),
            on("UPDATE postpay.projects SET open_run = NULL WHERE name = $1 AND open_run = $2").text(&run),
        ];
        match self.transaction(statements) {
            Ok(()) => {}
            Err(error) if self.is_uncertain => {
                if !self.read(1)?.is_empty() {
                    return Err(error);
                }
            }
            Err(error) => return Err(error),
        }
        self.run = None;
        Ok(())
    }
}

impl Drop for PostgresLease {
    fn drop(&mut self) {
        if let Some(renewal) = self.renewal.take() {
            renewal.abort();
        }
        // Without it, the lease runs out.
        let release = self.statement(
            "UPDATE postpay.projects SET lease_until = NULL WHERE name = $1 AND epoch = $2 AND writer = $3 RETURNING name",
        );
        let _ = self.server.query(release);
    }
}
