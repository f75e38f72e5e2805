import type { Dialect } from "../sql";

/** The columns that every record has. `number` is the digits of its ref; times are milliseconds since 1970. */
export const recordColumns = ({ types }: Dialect) => `
  number ${types.integer} primary key,
  scope ${types.text} not null,
  version ${types.integer} not null,
  created_at ${types.integer} not null,
  updated_at ${types.integer} not null,
  author ${types.text} not null`;
