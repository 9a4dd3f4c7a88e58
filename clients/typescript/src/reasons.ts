// Why the judge on the device has said so, in ten languages and without a network: the same code and tables as in `/app`.

export { explain, type ReasonReader, type ReasonTables, type Why } from "./generated/judge/reasons";
export { TABLES } from "./generated/reasons";
