import { expect, test } from "bun:test";
import { ADDRESSED } from "../../src/store/addressed";
import { stateIn } from "../../src/store/listing";
import { SQLITE } from "../../src/store/sqlite/connection";
import { OPEN } from "../../src/surfaces/letter/store";
import { UNFINISHED } from "../../src/surfaces/todo/store";

// Stores know no surface, and yet what is open on an id is asked of all at once.
test("what is open on an id is what its surface calls so", () => {
  const open = (states: readonly string[]) => stateIn(states).render(SQLITE.placeholder).text;
  expect(ADDRESSED.letters.open).toBe(open(OPEN));
  expect(ADDRESSED.todos.open).toBe(open(UNFINISHED));
});
