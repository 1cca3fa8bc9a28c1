import { useNavigate } from '@tanstack/react-router';
import { useEffect, useId, useState, type KeyboardEvent } from 'react';
import { readQuery } from '../pages/events/event-search';
import { Dialog } from '../parts/dialog';
import { useCaller } from '../session/caller';
import { menuOf } from './menu';
import { entriesFor, type PaletteEntry } from './palette-entries';

const ACTIONS = 'main .page-head .actions button:not(:disabled), main .section-head .actions button:not(:disabled)';

/** What one can go to and do from here, chosen by a few letters. Other text is searched as in the search box. */
export function Palette({ onClose }: { onClose: () => void }) {
  const navigate = useNavigate();
  const caller = useCaller();
  const [text, setText] = useState('');
  const [index, setIndex] = useState(0);
  const id = useId();
  const [actions] = useState(actionsOfPage); // the page stays as it is below the dialog
  const pages = menuOf(caller).map(({ name, to, key }): PaletteEntry => ({
    ...{ kind: 'page', label: name, hint: `g ${key}`, run: () => void navigate({ to }) },
  }));

  function searchOf(asked: string): PaletteEntry[] {
    const query = readQuery(asked);
    if (asked.trim() === '' || query.kind === 'unclear') return [];
    const run = () =>
      query.kind === 'event'
        ? void navigate({ to: '/events/$eventId', params: { eventId: query.id } })
        : void navigate({ to: '/events', search: query.search });
    return [{ kind: 'search', label: `Search events for ${asked.trim()}`, run }];
  }
  const shown = [...entriesFor(text, [...actions, ...pages]), ...searchOf(text)];
  const chosen = Math.min(index, shown.length - 1);

  useEffect(() => {
    document.getElementById(`${id}-${chosen}`)?.scrollIntoView({ block: 'nearest' });
  }, [id, chosen]);

  function choose(entry: PaletteEntry | undefined): void {
    if (!entry) return;
    onClose();
    entry.run();
  }
  function onKeyDown(event: KeyboardEvent): void {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by !== undefined) {
      event.preventDefault();
      setIndex((chosen + by + shown.length) % Math.max(shown.length, 1));
    } else if (event.key === 'Enter') {
      event.preventDefault();
      choose(shown[chosen]);
    }
  }
  return (
    <Dialog title="Go to or do" isOpen onClose={onClose}>
      <div className="stack">
        <input
          role="combobox"
          aria-label="Page, action or search"
          aria-expanded={shown.length > 0}
          aria-controls={id}
          aria-activedescendant={shown.length > 0 ? `${id}-${chosen}` : undefined}
          autoComplete="off"
          spellCheck={false}
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setIndex(0);
          }}
          onKeyDown={onKeyDown}
        />
        {shown.length > 0 && (
          <ul id={id} role="listbox" aria-label="What it finds" className="palette">
            {shown.map((entry, i) => (
              <li
                key={`${entry.kind} ${entry.label}`}
                id={`${id}-${i}`}
                role="option"
                aria-selected={i === chosen}
                onClick={() => choose(entry)}
              >
                <span>{entry.label}</span> <span className="hint">{entry.hint ?? entry.kind}</span>
              </li>
            ))}
          </ul>
        )}
        {shown.length === 0 && <p role="status">Nothing here is called that.</p>}
      </div>
    </Dialog>
  );
}

/** The buttons that the page itself shows to this operator, now. */
function actionsOfPage(): PaletteEntry[] {
  return [...document.querySelectorAll<HTMLButtonElement>(ACTIONS)].map((button) => ({
    kind: 'action',
    label: button.innerText,
    run: () => button.click(),
  }));
}
