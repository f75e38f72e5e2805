export * from "./items";
export * from "./push";
export * from "./take";
export * from "./moves";
export * from "./replies";
export * from "./list";
export * from "./stats";
export * from "./archive";
