import { formatCount } from '../../format/numbers';

interface Props {
  lastHour: number;
  hourBefore: number;
}

const ARROWS = { more: '↗', fewer: '↘', same: '→' };

/** How many came in the last hour, and how many in the hour before. */
export function Trend({ lastHour, hourBefore }: Props) {
  if (lastHour === 0 && hourBefore === 0) return '–';
  const arrow = ARROWS[lastHour > hourBefore ? 'more' : lastHour < hourBefore ? 'fewer' : 'same'];
  return (
    <>
      {formatCount(lastHour)} <span aria-hidden="true">{arrow}</span>
      <div className="hint">before: {formatCount(hourBefore)}</div>
    </>
  );
}
