export * from "./client.js";
export * from "./errors.js";
export * from "./generated.js";
export * from "./live.js";
export * from "./scalars.js";
