import { Link, Outlet } from '@tanstack/react-router';
import { useCallback, useState, useSyncExternalStore, type ReactNode } from 'react';
import { connection } from '../api/connection';
import { useCaller } from '../session/caller';
import { session } from '../session/session';
import { HelpDialog } from './help-dialog';
import { Navigation } from './navigation';
import { Palette } from './palette';
import { SearchBox } from './search-box';
import { StaleBanner } from './stale-banner';
import { ThemeSwitch } from './theme-switch';
import { useKeyboard } from './use-keyboard';

/** What every page has: navigation, search, who is signed in, and whether StreamForge responds. */
export function Shell(): ReactNode {
  const { name, role } = useCaller();
  const [open, setOpen] = useState<'help' | 'palette'>();
  const onHelp = useCallback(() => setOpen('help'), []);
  const onPalette = useCallback(() => setOpen('palette'), []);
  const close = () => setOpen(undefined);
  useKeyboard({ onHelp, onPalette });
  const isLost = useSyncExternalStore(connection.subscribe, connection.isLost);
  return (
    <div className="frame">
      <a className="skip" href="#content">
        Skip to the content
      </a>
      <header className="top">
        <Link to="/" className="brand">
          StreamForge
        </Link>
        <SearchBox />
        <div className="who">
          <span title={`role: ${role}`}>
            {name} <span className="hint">{role}</span>
          </span>
          <ThemeSwitch />
          <button type="button" aria-label="Keys and search" onClick={onHelp}>
            ?
          </button>
          <button type="button" onClick={session.signOut}>
            Sign out
          </button>
        </div>
      </header>
      <Navigation />
      <div className="content">
        {isLost ? (
          <p className="banner" role="alert">
            StreamForge does not respond. What you see may be old; the page goes on asking.
          </p>
        ) : (
          <StaleBanner />
        )}
        <main id="content" tabIndex={-1}>
          <Outlet />
        </main>
      </div>
      <HelpDialog isOpen={open === 'help'} onClose={close} />
      {open === 'palette' && <Palette onClose={close} />}
    </div>
  );
}
