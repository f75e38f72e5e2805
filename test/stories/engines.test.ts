import { expect, test } from "bun:test";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { postgres } from "../postgres";
import { git, story, type Story } from "../story";

/** A line is who speaks and what: as in a shell, but that words have no spaces unless quoted. */
const SCRIPT = `
ann init
ann whoami
ann letter read
ann letter write 'Where I stopped' --body 'tests next' --key first
ann letter write 'Where I stopped' --body 'tests next' --key first
ann letter write 'Where I stopped' --body other --key first
ann letter write --body 'for ben: 한글 ✔️ tab	here' --to ben
ben letter read
ben letter read L2
bne letter read
ben letter start L2
ann letter start L2
ben letter ack L2 --body 'got it'
ben letter ack L2
ann letter write third --body newer --supersedes L1,L2
ann letter list
ann letter list --status all --limit 1
ann letter show L1
ann letter show L3 --raw
ann letter abandon L3 --reason 'no more'
ann letter reopen L3 --if-version 7
ann letter reopen L3 --if-version 2
ann letter show L99
ann letter list --from ann --to ben --since 1h
ann request open 'Review this' --to ben --kind review --body please
ann request open 'Another' --to cyd --body x
ben request list --waiting-on me
ben request accept R1
cyd request accept R1
ben request reply R1 'what of empty input?'
ann request list --waiting-on ann
ann request reply R1 handled
ben request done R1 --body good
ann request show R1
ben request cancel R2
ann request cancel R2 --body 'not needed'
ann request reopen R2
ann request assign R2 --to ben
ann request edit R2 --title 'Another one'
ben request decline R2 --body no
ann request list
ann request list --status all
ann todo add one --priority 0
ann todo add two --after T1 --to ben
ann todo add three --after T1,T2 --body long
ann todo add four --after T9
ann todo edit T1 --after T3
ann todo ready
ben todo start T2
ann todo start T2
ann todo stop T2
ann todo block T2 --note 'waits for air'
ann todo done T1
ann todo ready
ann todo edit T3 --not-after T2 --priority 4
ann todo assign T3 --to cyd
ann todo drop T3
ann todo reopen T3
ann todo list
ann todo list --status done,blocked
ann todo list --mine
ann todo show T2
ann history add 'Split the parser' --slug split --body 'it did two things'
ann history add 'Split the parser' --slug split --body 'it did two things'
ann history add 'Split the parser' --slug split --body 'it did three things'
ann history pending
ann history commit split 0123456789abcdef
ann history commit split 0123456
ann history commit split 9999999
ann history edit H1 --body 'it did two things, and well'
ann history list
ann history show split
ann queue push questions '{"q": "which name?"}'
site queue push questions plain --priority 0
site queue push questions --jsonl -
ann queue list
dis queue take questions
dis queue take questions --count 5 --key run-1
dis queue take questions --count 5 --key run-1
dis queue take questions
dis queue push answers 'which?' --to ann,ben --re Q1
ann queue take answers
ann queue done Q5 --reply coop
ben queue done Q6 --reply coop
ben queue take Q5
dis queue replies F1
ben queue take
ben queue reply Q6 'coop, too'
dis queue replies F1
dis queue release Q1
ann queue release Q2
ann queue release Q2 --from dis
ann queue drop Q1
ann queue reopen Q1
ann queue stats
ann queue stale --older 0s
ann queue show Q1
ann queue show F1
ann queue list --status all --from site
ann who
ann log
ann log T2
ann log L1 --limit 1
ann show R1
zoe todo add 'by a stranger' --to anm
ann todo list --scope elsewhere
ann todo list --all-scopes
`;

/** The words of a line, of which some are quoted. */
const wordsOf = (text: string) =>
  Array.from(text.matchAll(/'([^']*)'|(\S+)/g), ([, quoted, plain]) => quoted ?? plain!);

test("a script of 100 commands reads alike on both engines, but for times and the store's name", async () => {
  const lines = SCRIPT.trim().split("\n").map(wordsOf);
  expect(lines.length).toBeGreaterThan(100);
  const server = await postgres();
  const schema = `script_${Bun.randomUUIDv7("hex").replaceAll("-", "")}`;
  await using onSqlite = await story({ init: false });
  await using onPostgres = await story({ init: false });
  const variables = { PIPPA_COOP_DB: server.url(schema) };
  const run = async (coop: Story, [as, ...words]: string[], env: Record<string, string>) => {
    const folder = join(coop.folder, "quest");
    const stdin = words.includes("-") ? '{"payload":1}\n{"payload":"two","priority":1}\n' : "";
    const told = [];
    for (const form of [[], ["--json"]].slice(0, /^(list|show|log|who)/.test(words[1]!) ? 2 : 1)) {
      const options = { as: as!, stdin, cwd: folder, env };
      const { exit, out, err } = await coop.run([...form, ...words], options);
      told.push({ words, exit, out: plain(out, coop), err: plain(err, coop) });
    }
    return told;
  };
  /** Text without what is a machine's, a moment's or a store's own. */
  const plain = (text: string, coop: Story) =>
    text
      .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "TIME")
      .replaceAll(/\b\d+[sm]\b/g, "AGE")
      .replaceAll(/"pid":\d+/g, '"pid":0')
      .replaceAll(/postgres:\/\/[^\s";]+/g, "STORE")
      .replaceAll(coop.store, "STORE")
      .replaceAll(coop.folder, "FOLDER");
  for (const coop of [onSqlite, onPostgres]) {
    await mkdir(join(coop.folder, "quest"));
    await git(join(coop.folder, "quest"), "init");
  }
  try {
    for (const line of lines) {
      const [one, other] = [await run(onSqlite, line, {}), await run(onPostgres, line, variables)];
      expect(other).toEqual(one);
    }
  } finally {
    await server.sql(`drop schema if exists "${schema}" cascade`);
  }
}, 120_000);
