import { TABLES } from "../contents";
import { among, first, sql, type Sql } from "../sql";

/** What a server and the way to it are like. */
export interface ServerLook {
  version: string;
  /** The version of TLS, such as TLSv1.3; null without. */
  tls: string | null;
  /** Whether it is on this machine. */
  near: boolean;
  /** Settings that are off, without which a crash can lose what was acknowledged. */
  unsafe: string[];
}

/** Asks a server what it and the way to it are like. */
export async function lookAtServer(on: Sql): Promise<ServerLook> {
  const row = await first<{ version: string; tls: string | null; near: number; unsafe: string }>(
    on,
    sql`select split_part(current_setting('server_version'), ' ', 1) as version,
      (select version from pg_stat_ssl where pid = pg_backend_pid() and ssl) as tls,
      (coalesce(inet_server_addr() = inet_client_addr(), true))::int as near,
      (select coalesce(string_agg(name, ' ' order by name), '') from pg_settings
        where name in ('fsync', 'full_page_writes') and setting = 'off') as unsafe`,
  );
  const { version, tls, near, unsafe } = row!;
  return { version, tls, near: near === 1, unsafe: unsafe === "" ? [] : unsafe.split(" ") };
}

/** What keeps this user from writing a store that is read. */
export interface Barriers {
  /** Whether every transaction is read-only: on a replica, or by a setting. */
  readOnly: boolean;
  /** The tables whose rows this user may not select, insert and update. */
  unwritable: string[];
  /** The tables whose rows this user may not delete. */
  lasting: string[];
  /** Triggers, rules and row-level security, none of which coop makes: `the trigger audit on todos`. */
  foreign: string[];
}

/** Asks a server what keeps this user from writing the store. */
export async function barriers(on: Sql): Promise<Barriers> {
  const names = ["meta", ...TABLES.map(({ name }) => name)];
  const row = await first<{
    read_only: number;
    unwritable: string;
    lasting: string;
    others: string;
  }>(
    on,
    // Not transaction_read_only: a reading command's own transaction can be.
    sql`with own as (select pg_class.oid, relname
        from pg_class join pg_namespace on pg_namespace.oid = relnamespace
        where nspname = current_schema() and ${among("relname", names)})
      select (pg_is_in_recovery() or current_setting('default_transaction_read_only') = 'on')::int as read_only,
      (select coalesce(string_agg(relname, ',' order by relname), '') from own
        where not (has_table_privilege(oid, 'select') and has_table_privilege(oid, 'insert')
          and has_table_privilege(oid, 'update'))) as unwritable,
      (select coalesce(string_agg(relname, ',' order by relname), '') from own
        where not has_table_privilege(oid, 'delete')) as lasting,
      (select coalesce(string_agg(what || ' on ' || relname, ',' order by relname, what), '') from (
        select relname, 'row-level security' as what from own where row_security_active(oid) union all
        select relname, 'the trigger ' || tgname from own join pg_trigger on tgrelid = own.oid where not tgisinternal and tgenabled <> 'D' union all
        select relname, 'the rule ' || rulename from own join pg_rewrite on ev_class = own.oid) as found) as others`,
  );
  const { read_only, unwritable, lasting, others } = row!;
  return {
    readOnly: read_only === 1,
    unwritable: listed(unwritable),
    lasting: listed(lasting),
    foreign: listed(others),
  };
}

const listed = (names: string) => (names === "" ? [] : names.split(","));
