// The panel that lists the example queries. One click puts an example in a tab of its own, or goes to the tab it is in.
import { pick, UnStyledButton, useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { createContext, useContext } from 'react';

// The list changes with the token, and the panel, which GraphiQL knows by its identity, does not.
export const ExamplesOf = createContext([]);
export const EXAMPLES_PLUGIN = { title: 'Examples', icon: ExamplesIcon, content: () => <Examples /> };

function Examples() {
  const examples = useContext(ExamplesOf);
  const { addTab, changeTab, updateActiveTabValues } = useGraphiQLActions();
  const { tabs, activeTabIndex, queryEditor } = useGraphiQL(pick('tabs', 'activeTabIndex', 'queryEditor'));

  const open = (query) => {
    const index = tabs.findIndex((tab) => tab.query === query);
    if (index === activeTabIndex) return;
    if (index >= 0) {
      changeTab(index);
    } else {
      addTab();
      queryEditor.setValue(query);
      updateActiveTabValues({ query });
    }
  };

  return (
    <section aria-label="Examples" className="clawback-examples">
      <h2>Examples</h2>
      {examples.length === 0 && <p>There are none for you. Where the server asks for a token, type it in above.</p>}
      <ul>
        {examples.map(({ name, query }) => (
          <li key={name}>
            <UnStyledButton
              type="button"
              disabled={!queryEditor}
              aria-current={tabs[activeTabIndex].query === query}
              onClick={() => open(query)}
            >
              {name}
            </UnStyledButton>
          </li>
        ))}
      </ul>
      <p>
        This page is made of free software: <a href={new URL('LICENSES.txt', import.meta.url)}>licences</a>.
      </p>
    </section>
  );
}

function ExamplesIcon(props) {
  return (
    <svg viewBox="0 0 16 16" width="1em" height="1em" fill="none" stroke="currentColor" strokeWidth="1.2" {...props}>
      <path d="M6 4h8M6 8h8M6 12h8" strokeLinecap="round" />
      <path d="M2 2.5v3L4 4zM2 6.5v3L4 8zM2 10.5v3L4 12z" strokeLinejoin="round" />
    </svg>
  );
}
