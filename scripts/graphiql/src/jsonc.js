// GraphiQL tidies variables and headers with prettier's whole JavaScript parser: half a megabyte for two boxes of JSON.
// build.mjs puts this prettier plugin in its place, which prints what jsonc-parser, already in the bundle, formatted.
import { applyEdits, format } from 'jsonc-parser';

const LAYOUT = { insertSpaces: true, tabSize: 2, eol: '\n' };

export const parsers = {
  jsonc: {
    astFormat: 'formatted-jsonc',
    parse: (text) => ({ text: applyEdits(text, format(text, undefined, LAYOUT)) }),
    locStart: () => 0,
    locEnd: ({ text }) => text.length,
  },
};

export const printers = {
  'formatted-jsonc': { print: ({ node }) => node.text },
};
