// GraphiQL reads the reader's preference for light or dark once; this follows it when it changes while the page is open.
import { pick, useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { useEffect } from 'react';

export function FollowTheme() {
  const { setTheme } = useGraphiQLActions();
  const { theme } = useGraphiQL(pick('theme'));

  useEffect(() => {
    const preference = matchMedia('(prefers-color-scheme: dark)');
    const follow = () => setTheme(theme);
    preference.addEventListener('change', follow);
    return () => preference.removeEventListener('change', follow);
  }, [setTheme, theme]);

  return null;
}
