// Bundles GraphiQL into server/graphiql: the page's script and style, Monaco's three workers, its icons, the licences.
import { readFileSync, readdirSync, rmSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build } from 'esbuild';
import { gzip } from 'pako';

const HERE = import.meta.dirname;
const OUTPUT = join(HERE, '../../server/graphiql');
const LICENCE_FILE = /^(licen[cs]e|notice|third-?party-?notices)/i;

// graphql takes its check for two copies of itself out of production code only where a global `process` exists.
const plainInstanceOf = {
  name: 'plain-instance-of',
  setup: ({ onLoad }) =>
    onLoad({ filter: /graphql\/jsutils\/instanceOf\.m?js$/ }, () => ({
      contents: 'export const instanceOf = (value, constructor) => value instanceof constructor;',
    })),
};

const bundle = await build({
  absWorkingDir: HERE,
  entryPoints: {
    app: 'src/app.jsx',
    editor: 'monaco-editor/esm/vs/editor/editor.worker.js',
    graphql: 'monaco-graphql/esm/graphql.worker.js',
    json: 'monaco-editor/esm/vs/language/json/json.worker.js',
  },
  alias: { 'prettier/parser-babel': './src/jsonc.js', 'prettier/plugins/estree': './src/jsonc.js' },
  plugins: [plainInstanceOf],
  define: { 'process.env.NODE_ENV': '"production"' },
  loader: { '.ttf': 'file' },
  assetNames: '[name]',
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  jsx: 'automatic',
  legalComments: 'none',
  metafile: true,
  outdir: OUTPUT,
  write: false,
});

const files = new Map(bundle.outputFiles.map(({ path, contents }) => [`${basename(path)}.gz`, zip(contents)]));
files.set('icon.svg', readFileSync(join(HERE, 'src/icon.svg')));
files.set('LICENSES.txt', licences(Object.keys(bundle.metafile.inputs)));

rmSync(OUTPUT, { recursive: true, force: true });
mkdirSync(OUTPUT);
for (const [name, contents] of files) {
  writeFileSync(join(OUTPUT, name), contents);
  console.log(`${String(contents.length).padStart(9)}  ${name}`);
}

// pako and not node:zlib, whose bytes may differ from one build of Node to the next. It writes no time into the header.
function zip(contents) {
  return gzip(contents, { level: 9 });
}

// The licence texts of every package that has a module in the bundle; packages with the same text share it.
function licences(inputs) {
  const folders = new Set(inputs.map((path) => path.match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0]).filter(Boolean));
  const holders = new Map();
  for (const folder of [...folders].sort()) {
    const { name, version, license } = JSON.parse(readFileSync(join(HERE, folder, 'package.json'), 'utf8'));
    const text = licenceText(join(HERE, folder)) || `The package declares the licence ${license} and carries no text of it.`;
    holders.set(text, [...(holders.get(text) ?? []), `${name} ${version} (${license})`]);
  }
  const sections = [...holders].map(([text, packages]) => `${packages.join('\n')}\n\n${text}\n`);
  return Buffer.from(
    ['GraphiQL and the packages bundled with it, each under the licence below it.\n', ...sections].join(`\n${'='.repeat(100)}\n\n`),
  );
}

function licenceText(folder) {
  const names = readdirSync(folder).filter((name) => LICENCE_FILE.test(name)).sort();
  return names.map((name) => readFileSync(join(folder, name), 'utf8').replace(/\r\n?/g, '\n').trim()).join('\n\n');
}
