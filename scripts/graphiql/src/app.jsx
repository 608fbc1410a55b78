// The page at /graphiql: GraphiQL for one endpoint, with the examples that config.json names to whoever asks.
import './workers.js';
import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { GraphiQL, HISTORY_PLUGIN } from 'graphiql';
import { useState } from 'react';
import { createRoot } from 'react-dom/client';
import { EXAMPLES_PLUGIN, ExamplesOf } from './examples.jsx';
import { storage } from './storage.js';
import { FollowTheme } from './theme.jsx';
import { authorization, TokenField } from './token.jsx';
import '@graphiql/react/style.css';
import '@graphiql/plugin-doc-explorer/style.css';
import '@graphiql/plugin-history/style.css';
import 'graphiql/graphiql.css';
import './page.css';

async function readConfig() {
  const response = await fetch(new URL('config.json', import.meta.url), { headers: authorization() });
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

const PLUGINS = [EXAMPLES_PLUGIN, HISTORY_PLUGIN];
const FIRST_VISIT = storage.getItem('graphiql:tabState') === null;

function Page({ config, fetcher }) {
  const [examples, setExamples] = useState(config.examples);
  const firstQuery = config.examples[0]?.query ?? '';
  // Another token may see others. Where they cannot be read, those of before stay: the answer to a query says why.
  const readAgain = () => readConfig().then((read) => setExamples(read.examples), () => {});
  return (
    <ExamplesOf.Provider value={examples}>
      <GraphiQL
        fetcher={fetcher}
        plugins={PLUGINS}
        visiblePlugin={FIRST_VISIT ? EXAMPLES_PLUGIN : undefined}
        defaultQuery={firstQuery}
        storage={storage}
        shouldPersistHeaders={false} // a token typed into the headers must not outlive the page
      >
        <GraphiQL.Logo>
          <TokenField onChange={readAgain} />
          <h1 className="clawback-name">Clawback</h1>
        </GraphiQL.Logo>
        <FollowTheme />
      </GraphiQL>
    </ExamplesOf.Provider>
  );
}

const place = document.getElementById('graphiql');
try {
  const config = await readConfig();
  createRoot(place).render(<Page config={config} fetcher={fetcherFor(config.endpoint)} />);
} catch (error) {
  place.textContent = `This page could not start: ${error.message}. Is the server running? Reload to try again.`;
  place.setAttribute('role', 'alert');
}
