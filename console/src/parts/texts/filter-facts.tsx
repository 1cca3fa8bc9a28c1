import { formatCount } from '../../format/numbers';
import { Facts } from './facts';
import { Text } from './text';

const SHOWN = 10;

/** What an action was asked for, as it was recorded. */
export function FilterFacts({ filter }: { filter: Readonly<Record<string, unknown>> }) {
  const facts = Object.entries(filter).map(([name, value]) => [name, <Value key={name} value={value} />] as const);
  return <Facts facts={Object.fromEntries(facts)} />;
}

function Value({ value }: { value: unknown }) {
  if (typeof value === 'string') return <Text>{value}</Text>;
  if (!Array.isArray(value)) return <code className="break">{JSON.stringify(value)}</code>;
  const shown = value.slice(0, SHOWN).map((one) => (typeof one === 'string' ? one : JSON.stringify(one)));
  return (
    <>
      <Text>{shown.join(', ')}</Text>
      {value.length > SHOWN && ` and ${formatCount(value.length - SHOWN)} more`}
    </>
  );
}
