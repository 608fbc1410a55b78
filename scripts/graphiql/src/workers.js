// Monaco asks for its workers by label. They are files beside this one, so that the page needs no blob: in its policy.
const FILES = { graphql: 'graphql.js', json: 'json.js' };

globalThis.MonacoEnvironment = {
  getWorker: (_moduleId, label) =>
    new Worker(new URL(FILES[label] ?? 'editor.js', import.meta.url), { type: 'module', name: label }),
};
