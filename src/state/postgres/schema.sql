CREATE SCHEMA IF NOT EXISTS postpay;

CREATE TABLE IF NOT EXISTS postpay.version (version int NOT NULL);
INSERT INTO postpay.version SELECT 1 WHERE NOT EXISTS (SELECT FROM postpay.version);

-- One row per project. Its row lock orders everything that is written about the project.
CREATE TABLE IF NOT EXISTS postpay.projects (
  name text PRIMARY KEY,
  -- Counts the leases. A writer that finds another number is fenced out.
  epoch bigint NOT NULL DEFAULT 0,
  -- Who holds or held the lease, as JSON, and a number that only this writer knows.
  holder text,
  writer text,
  lease_until timestamptz,
  -- The run whose lines are in the log.
  open_run text,
  snapshot bytea,
  backup bytea
);

-- The journal of the open run. Two writers collide on the number of a line.
CREATE TABLE IF NOT EXISTS postpay.log (
  project text NOT NULL REFERENCES postpay.projects,
  seq bigint NOT NULL,
  epoch bigint NOT NULL,
  line bytea NOT NULL,
  written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (project, seq)
);

-- The journals of the runs that ended.
CREATE TABLE IF NOT EXISTS postpay.receipts (
  project text NOT NULL REFERENCES postpay.projects,
  base bigint NOT NULL,
  run text NOT NULL,
  journal bytea NOT NULL,
  PRIMARY KEY (project, base, run)
);

-- States that a restore replaced.
CREATE TABLE IF NOT EXISTS postpay.replaced (
  project text NOT NULL REFERENCES postpay.projects,
  replaced_at timestamptz NOT NULL,
  snapshot bytea NOT NULL
);
