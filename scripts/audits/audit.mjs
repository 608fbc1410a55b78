// Runs the audits of graphql-http against a server: node audit.mjs URL. Exit code 0 only where all of them are ok.
import { serverAudits } from 'graphql-http';

const EXPECTED = 61;

const [url] = process.argv.slice(2);
if (!url) {
  console.error('usage: node audit.mjs URL');
  process.exit(2);
}
const audits = serverAudits({ url, fetchFn: fetch });
let ok = 0;
for (const audit of audits) {
  const result = await audit.fn();
  ok += result.status === 'ok' ? 1 : 0;
  const reason = result.status === 'ok' ? '' : `: ${result.reason}`;
  console.log(`${result.status.padEnd(6)} ${audit.id} ${audit.name}${reason}`);
}
console.log(`${ok} of ${audits.length} audits are ok; ${EXPECTED} are expected`);
process.exit(ok === EXPECTED && audits.length === EXPECTED ? 0 : 1);
