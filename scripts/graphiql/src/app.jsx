// The page at /graphiql: GraphiQL for one endpoint, with the examples that config.json names.
import './workers.js';
import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { GraphiQL, HISTORY_PLUGIN } from 'graphiql';
import { createRoot } from 'react-dom/client';
import { examplesPlugin } from './examples.jsx';
import { storage } from './storage.js';
import { FollowTheme } from './theme.jsx';
import { authorization, TokenField } from './token.jsx';
import '@graphiql/react/style.css';
import '@graphiql/plugin-doc-explorer/style.css';
import '@graphiql/plugin-history/style.css';
import 'graphiql/graphiql.css';
import './page.css';

async function readConfig() {
  const response = await fetch(new URL('config.json', import.meta.url));
  if (!response.ok) throw new Error(`${response.url} answered ${response.status} ${response.statusText}`);
  return response.json();
}

function fetcherFor(endpoint) {
  const url = new URL(endpoint, location.href);
  const subscriptionUrl = new URL(url);
  subscriptionUrl.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return createGraphiQLFetcher({
    url: url.href,
    subscriptionUrl: subscriptionUrl.href,
    enableIncrementalDelivery: false,
    // Read anew for each request and each socket.
    get headers() {
      return authorization();
    },
    get wsConnectionParams() {
      return authorization();
    },
  });
}

function page({ endpoint, examples }) {
  const panel = examplesPlugin(examples);
  const firstVisit = storage.getItem('graphiql:tabState') === null;
  return (
    <GraphiQL
      fetcher={fetcherFor(endpoint)}
      plugins={[panel, HISTORY_PLUGIN]}
      visiblePlugin={firstVisit ? panel : undefined}
      defaultQuery={examples[0]?.query ?? ''}
      storage={storage}
      shouldPersistHeaders={false} // a token typed into the headers must not outlive the page
    >
      <GraphiQL.Logo>
        <TokenField />
        <h1 className="clawback-name">Clawback</h1>
      </GraphiQL.Logo>
      <FollowTheme />
    </GraphiQL>
  );
}

const place = document.getElementById('graphiql');
try {
  const config = await readConfig();
  createRoot(place).render(page(config));
} catch (error) {
  place.textContent = `This page could not start: ${error.message}. Is the server running? Reload to try again.`;
  place.setAttribute('role', 'alert');
}
