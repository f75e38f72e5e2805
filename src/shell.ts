/** A text as one word of a command that a user may copy into a shell. */
export const shellWord = (text: string) =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : quotedWord(text);

/** The same, in quotes in any case. */
export const quotedWord = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
