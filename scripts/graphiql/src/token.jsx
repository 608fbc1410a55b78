// The token that says who asks: typed in once, kept for this tab until it is closed, and never in an address.
import { useGraphiQLActions } from '@graphiql/react';
import { useState } from 'react';

const KEY = 'clawback:token';

// What is sent with every request, and at the beginning of every socket, which cannot have headers of its own.
export function authorization() {
  const token = sessionStorage.getItem(KEY);
  return token ? { Authorization: `Bearer ${token}` } : {};
}

export function TokenField({ onChange }) {
  const { introspect } = useGraphiQLActions();
  const [token, setToken] = useState(sessionStorage.getItem(KEY) ?? '');

  const use = () => {
    const typed = token.trim();
    if (typed === (sessionStorage.getItem(KEY) ?? '')) return;
    if (typed) {
      sessionStorage.setItem(KEY, typed);
    } else {
      sessionStorage.removeItem(KEY);
    }
    introspect(); // another token may see another schema
    onChange();
  };

  return (
    <form
      className="clawback-token"
      onSubmit={(event) => {
        event.preventDefault();
        use();
      }}
    >
      <label>
        Token{' '}
        <input
          type="password"
          autoComplete="off"
          spellCheck="false"
          placeholder="where the server asks for one"
          title="Kept for this tab only, until it is closed"
          value={token}
          onChange={(event) => setToken(event.target.value)}
          onBlur={use}
        />
      </label>
    </form>
  );
}
