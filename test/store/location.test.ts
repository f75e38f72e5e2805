import { describe as group, expect, test } from "bun:test";
import fc from "fast-check";
import type { CoopError } from "../../src/errors";
import { describe, locate, locateNamed, parseUrl } from "../../src/store/location";

const around = { env: {}, home: () => "/home/me" };
const shown = (url: string) => describe(locateNamed(url, "--db", around));

group("the path of a store", () => {
  test("is not that of what SQLite keeps beside one", () => {
    for (const suffix of ["-wal", "-shm", "-journal"])
      expect(() => locateNamed(`/srv/coop.db${suffix}`, "--db", around)).toThrow(
        `--db is '/srv/coop.db${suffix}', which SQLite takes for a part of the store beside it`,
      );
    for (const path of ["/srv/coop.db", "/srv/coop.db-wal.db", "/srv/the-wal/coop.db"])
      expect(locateNamed(path, "--db", around)).toEqual({ engine: "sqlite", path });
  });
});

group("a path that SQLite would open as another's or not at all, or that is a folder's", () => {
  test("names no store", () => {
    for (const end of [" ", "\r", "\n", "\t"])
      expect(() => locateNamed(`/srv/coop.db${end}`, "--db", around)).toThrow(
        "which ends in a space",
      );
    expect(() => locateNamed("/srv/coop.db/", "--db", around)).toThrow("which is a folder's name");
    const long = `/srv/${"a".repeat(440)}/coop.db`;
    expect(() => locateNamed(long, "--db", around)).toThrow("--db is a path of over 400 bytes");
    const korean = `/srv/${"가".repeat(150)}/coop.db`;
    expect(() => locateNamed(korean, "--db", around)).toThrow("--db is a path of over 400 bytes");
    const others = { env: { PIPPA_COOP_DB: "/srv/x\ufffd.db" }, home: () => "/home/me" };
    expect(() => locate(others)).toThrow("PIPPA_COOP_DB holds U+FFFD, or is not valid UTF-8");
    expect(() => locate({ env: {}, home: () => "/home/\ufffd" })).toThrow(
      "HOME/pippa-db/coop.db holds",
    );
    expect(locateNamed("/my srv /coop x.db", "--db", around)).toMatchObject({ engine: "sqlite" });
  });
});

group("the URL of a store", () => {
  test("is shown without what may be secret", () => {
    expect(shown("postgres://ann:secret@db:5433/work?schema=x&sslmode=require")).toBe(
      "postgres://ann@db:5433/work?schema=x&sslmode=require",
    );
    expect(shown("postgresql:///work?host=/run/pg&password=secret&sslkey=k")).toBe(
      "postgres:///work?host=/run/pg",
    );
    expect(shown("postgres://[::1]/x%20y")).toBe("postgres://[::1]/x%20y");
    expect(shown("postgres://?host=h")).toBe("postgres:///?host=h");
  });

  test("is shown with what variables say of where the store is, and so that it can be given again", () => {
    const env = {
      PGHOST: "/run/pg",
      PGPORT: "5601",
      PGUSER: "b@rains",
      PGDATABASE: "work",
      PGPASSWORD: "SECRET",
    };
    const named = (url: string, more = {}) =>
      describe(locateNamed(url, "--db", { ...around, env: { ...env, ...more } }));
    expect(named("postgres://")).toBe("postgres://%2Frun%2Fpg:5601/work");
    expect(named("postgres://", { PGHOST: "::1", PGPORT: "" })).toBe("postgres://[::1]/work");
    // The database is called after the user then.
    expect(named("postgres://db:1", { PGDATABASE: "" })).toBe("postgres://b%40rains@db:1");
    expect(named("postgres://ann@db:1/mine", { PGHOSTADDR: "10.0.0.1" })).toBe(
      "postgres://ann@db:1/mine?hostaddr=10.0.0.1",
    );
    expect(named("postgres://?host=db&port=2&user=ann&dbname=mine")).toBe(
      "postgres:///?host=db&port=2&user=ann&dbname=mine",
    );
    for (const host of ["fe80::1%eth0", "@abstract", "h%20", "a?b", "/run/p g"]) {
      const url = named("postgres://", { PGHOST: host });
      expect(shown(url)).toBe(url);
      expect(parseUrl(url).host?.replaceAll(/[[\]]/g, "")).toBe(host);
    }
    for (const url of ["postgres://ann@%2Frun%2Fpg:5601/work", "postgres://[::1]:2/x"])
      expect(shown(url)).toBe(url);
  });

  test("has no parameter whose name is encoded, by which a password could be passed unseen", () => {
    expect(() => shown("postgres://db/x?pass%77ord=S3CR3T")).toThrow("cannot be read");
  });

  test("is taken apart and decoded", () => {
    const { parameters, ...parts } = parseUrl("postgres://a%40b:p%2Fw:%3A@h:1/d%3F?schema=%C3%A9");
    expect(parts).toEqual({ user: "a@b", password: "p/w::", host: "h", port: "1", database: "d?" });
    expect([...parameters]).toEqual([["schema", "é"]]);
  });

  test("never shows its password, whatever characters that has and wherever it stands", () => {
    const secret = fc.string({ minLength: 3 }).map((text) => `S3CR3T${text}`);
    const urls = fc.oneof(
      secret.map((word) => `postgres://ann:${word}@db/work`),
      secret.map((word) => `postgres://ann:${encodeURIComponent(word)}@db/work`),
      secret.map((word) => `postgres://db/work?password=${word}`),
      secret.map((word) => `postgres://ann:${word}@db:x/work`),
      secret.map((word) => `postgers://ann:${word}@db/work`),
    );
    fc.assert(
      fc.property(urls, (url) => {
        try {
          expect(shown(url)).not.toContain("S3CR3T");
        } catch (thrown) {
          const { message, details } = thrown as CoopError;
          expect(`${message} ${details?.hint}`).not.toContain("S3CR3T");
        }
      }),
      { numRuns: 500 },
    );
  });
});
