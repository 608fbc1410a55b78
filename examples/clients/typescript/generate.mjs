// Writes src/generated.ts from ../schema.graphql and ../queries: a type for each operation; and ../persisted-documents.json,
// the manifest for a server. `--check` writes nothing and fails where what is committed is not what would be written.
//
// It calls the generator's core rather than its command line, which brings 230 more packages.
import { readFile, readdir, writeFile } from "node:fs/promises";
import process from "node:process";
import { codegen } from "@graphql-codegen/core";
import { preset } from "@graphql-codegen/client-preset";
import { buildASTSchema, parse } from "graphql";

const HERE = new URL("./", import.meta.url);
const WRITTEN = { "graphql.ts": "src/generated.ts", "persisted-documents.json": "../persisted-documents.json" };
const QUERIES = new URL("../queries/", HERE);
const SUBSCRIPTIONS = new URL("queries/", HERE); // of this client alone: the Python one waits for each answer

// Money is text of its own kind, so that nobody adds it up as a number by accident; counts are whole numbers.
const SCALARS = {
  Decimal: { input: "string", output: "./scalars.js#Decimal" },
  BigInt: "number",
  Date: "string",
  DateTime: "string",
  PeriodStart: "string",
};

const schema = parse(await readFile(new URL("../schema.graphql", HERE), "utf8"));
const schemaAst = buildASTSchema(schema);
const directories = schemaAst.getSubscriptionType() ? [QUERIES, SUBSCRIPTIONS] : [QUERIES];
const documents = (await Promise.all(directories.map(read))).flat();

async function read(directory) {
  const names = (await readdir(directory)).filter((name) => name.endsWith(".graphql")).sort();
  return Promise.all(
    names.map(async (name) => {
      const rawSDL = await readFile(new URL(name, directory), "utf8");
      return { location: name, rawSDL, document: parse(rawSDL) };
    }),
  );
}

const sections = await preset.buildGeneratesSection({
  baseOutputDir: "./",
  schema,
  schemaAst,
  documents,
  config: {
    scalars: SCALARS,
    strictScalars: true,
    documentMode: "string",
    enumType: "string-literal",
    immutableTypes: true,
    useTypeImports: true,
    importExtension: ".js",
    skipTypename: true,
  },
  presetConfig: { persistedDocuments: { mode: "embedHashInDocument" }, fragmentMasking: false },
  plugins: [],
  pluginMap: {},
  documentTransforms: [],
});

const isCheck = process.argv.includes("--check");
for (const { filename, ...section } of sections) {
  const place = WRITTEN[filename.replace("./", "")];
  if (!place) continue;
  const path = new URL(place, HERE);
  const text = `${(await codegen({ filename, ...section })).trim()}\n`;
  if (!isCheck) {
    await writeFile(path, text);
  } else if ((await readFile(path, "utf8").catch(() => "")) !== text) {
    console.error(`${place} is not what the schema and the queries give; run \`make clients\``);
    process.exitCode = 1;
  }
}
