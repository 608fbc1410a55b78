// What GraphiQL remembers between visits. It leaves request headers out of its tabs but not out of its history, and
// they hold tokens: here they are left out of that as well.
import { StorageAPI } from '@graphiql/toolkit';

const HISTORY = ['graphiql:queries', 'graphiql:favorites'];

export const storage = {
  getItem: (key) => localStorage.getItem(key),
  setItem: (key, value) => localStorage.setItem(key, HISTORY.includes(key) ? withoutHeaders(value) : value),
  removeItem: (key) => localStorage.removeItem(key),
  clear: () => new StorageAPI().clear(),
  get length() {
    return localStorage.length;
  },
};

function withoutHeaders(history) {
  return JSON.stringify(JSON.parse(history), (name, value) => (name === 'headers' ? undefined : value));
}
