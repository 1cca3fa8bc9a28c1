import { Link } from '@tanstack/react-router';
import { useLayoutEffect, useRef, useState } from 'react';
import { formatInstant } from '../../format/times';
import { StatusBadge } from '../../parts/texts/status-badge';
import { Text } from '../../parts/texts/text';
import { windowOf, type LiveRow } from './live-rows';

/** As in live.css. */
const ROW_PX = 34;
const START_PX = 600;

/** A list of which only the visible part is drawn, so that its length costs nothing. */
export function LiveList({ rows }: { rows: readonly LiveRow[] }) {
  const frame = useRef<HTMLDivElement>(null);
  /** The row on top of the view, and how much of it is hidden; undefined at the top of the list. */
  const reading = useRef<{ id: string; hiddenPx: number }>(undefined);
  const [view, setView] = useState({ top: 0, height: START_PX });
  useLayoutEffect(() => {
    const { current: at } = reading;
    if (!frame.current || !at) return;
    // Who has scrolled down reads on where they are, whatever comes on top.
    const index = rows.findIndex(({ id }) => id === at.id);
    if (index >= 0) frame.current.scrollTop = index * ROW_PX + at.hiddenPx;
  }, [rows]);
  function scrolled({ scrollTop: top, clientHeight: height }: HTMLDivElement): void {
    const first = rows[Math.floor(top / ROW_PX)];
    reading.current = first && top > ROW_PX ? { id: first.id, hiddenPx: top % ROW_PX } : undefined;
    setView({ top, height });
  }
  const { from, to } = windowOf(rows.length, { ...view, rowHeight: ROW_PX });
  return (
    <div
      ref={frame}
      className="live-frame"
      role="region"
      aria-label="Events as they come"
      tabIndex={0}
      onScroll={({ currentTarget }) => scrolled(currentTarget)}
    >
      <ul className="live-list" style={{ height: rows.length * ROW_PX }}>
        {rows.slice(from, to).map((row, i) => (
          <li key={row.id} className="live-row" style={{ top: (from + i) * ROW_PX }}>
            <time dateTime={row.receivedAt} title={row.receivedAt}>
              {formatInstant(row.receivedAt).slice(11)}
            </time>
            {row.status === null ? (
              <span title="No longer followed: more events came than can be. The page of the event has its status.">
                —
              </span>
            ) : (
              <StatusBadge status={row.status} />
            )}
            <Link to="/events/$eventId" params={{ eventId: row.id }} data-row>
              <Text>{row.type}</Text>
            </Link>
            <Text>{row.subject}</Text>
            <span className="hint">
              <Text>{row.tenantId}</Text>
            </span>
            <span className="hint">
              <Text>{row.source}</Text>
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}
