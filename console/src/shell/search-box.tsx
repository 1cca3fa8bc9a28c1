import { useNavigate, useRouterState } from '@tanstack/react-router';
import { useState, type FormEvent } from 'react';
import { queryOf, readEventSearch, readQuery } from '../pages/events/event-search';

/** The search of every page. On the list of events it shows the filters of the list. */
export function SearchBox() {
  const shown = useRouterState({
    select: ({ location }) => (location.pathname === '/events' ? queryOf(readEventSearch(location.search)) : ''),
  });
  return <Box key={shown} initial={shown} />;
}

function Box({ initial }: { initial: string }) {
  const navigate = useNavigate();
  const [text, setText] = useState(initial);
  const [hint, setHint] = useState<string>();

  function submit(event: FormEvent): void {
    event.preventDefault();
    const asked = readQuery(text);
    if (asked.kind === 'unclear') {
      setHint(`What should "${asked.word}" be? Write for example type:${asked.word} or subject:${asked.word}.`);
      return;
    }
    setHint(undefined);
    if (asked.kind === 'event') void navigate({ to: '/events/$eventId', params: { eventId: asked.id } });
    else void navigate({ to: '/events', search: asked.search });
  }
  return (
    <form role="search" className="search" onSubmit={submit}>
      <input
        type="search"
        data-search
        aria-label="Search events"
        aria-describedby={hint === undefined ? undefined : 'search-hint'}
        placeholder="id, or status:DLQ type:order.*   ( / )"
        spellCheck={false}
        autoComplete="off"
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      {hint !== undefined && (
        <p id="search-hint" className="search-hint" role="status">
          {hint}
        </p>
      )}
    </form>
  );
}
