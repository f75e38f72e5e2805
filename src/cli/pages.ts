/**
 * Help pages by the words of their group, "" for the root's. Each takes the modules of all its commands to make, so the
 * build makes them and puts them here; where the source itself is run there are none.
 */
export const PAGES: Readonly<Record<string, string>> = {};
