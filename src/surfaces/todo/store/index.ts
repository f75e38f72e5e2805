export * from "./todos";
export * from "./changes";
export * from "./list";
