import { useNavigate } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { useCaller } from '../session/caller';
import { commandOf, type KeyCommand } from './keys';
import { menuOf } from './menu';

const MOMENT_MS = 1_000;
const TYPING = 'input, textarea, select, [contenteditable]';

/** Listens for the keys of the console, except while somebody types or a dialog is open. */
export function useKeyboard({ onHelp, onPalette }: { onHelp: () => void; onPalette: () => void }): void {
  const navigate = useNavigate();
  const caller = useCaller();
  const before = useRef<{ key: string; atMs: number }>(undefined);
  useEffect(() => {
    function onKeyDown(event: KeyboardEvent): void {
      if (isPaletteKey(event)) {
        event.preventDefault(); // some browsers go to their address bar
        if (!document.querySelector('[role=dialog]')) onPalette();
        return;
      }
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      if (event.target instanceof Element && event.target.matches(TYPING)) return;
      if (document.querySelector('[role=dialog]')) return;
      const recent =
        before.current && event.timeStamp - before.current.atMs < MOMENT_MS ? before.current.key : undefined;
      before.current = { key: event.key, atMs: event.timeStamp };
      const command = commandOf(event.key, recent, menuOf(caller));
      if (!command) return;
      event.preventDefault();
      carryOut(command);
    }
    function carryOut(command: KeyCommand): void {
      if (command.kind === 'search') document.querySelector<HTMLElement>('[data-search]')?.focus();
      else if (command.kind === 'help') onHelp();
      else if (command.kind === 'move') moveFocus(command.by);
      else void navigate({ to: command.to });
    }
    document.addEventListener('keydown', onKeyDown);
    return () => document.removeEventListener('keydown', onKeyDown);
  }, [navigate, caller, onHelp, onPalette]);
}

/** Also while somebody types: no text has this key. */
const isPaletteKey = ({ key, ctrlKey, metaKey, altKey, shiftKey }: KeyboardEvent): boolean =>
  key === 'k' && ctrlKey !== metaKey && !altKey && !shiftKey;

/** Moves the focus among the rows of the page. Enter then opens a row, since each is a link. */
function moveFocus(by: 1 | -1): void {
  const rows = [...document.querySelectorAll<HTMLElement>('[data-row]')];
  const now = rows.findIndex((row) => row === document.activeElement);
  const next = now === -1 ? (by === 1 ? 0 : rows.length - 1) : Math.min(Math.max(now + by, 0), rows.length - 1);
  rows[next]?.focus();
}
